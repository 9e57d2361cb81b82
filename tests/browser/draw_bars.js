// Run in the components page: draws its texts as bars, and returns where each part is (left, top, width, height).
async ({ fonts, margin }) => {
  for (const [weight, data] of fonts) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    document.fonts.add(await new FontFace("Bars", bytes, { weight }).load());
  }
  const sheet = new CSSStyleSheet();
  // Font hinting differs between machines; geometric precision turns it off.
  sheet.replaceSync(`*, ::before, ::after, ::placeholder, ::file-selector-button {
    font-family: Bars !important;
    text-rendering: geometricPrecision !important;
  }
  /* Its height may not be whole pixels, and the parts below it would be drawn differently. */
  .component__markup { display: none !important; }
  textarea { resize: none !important; }`);
  document.adoptedStyleSheets = [sheet];
  const places = {};
  for (const part of document.querySelectorAll(".component")) {
    // Round up to whole pixels: otherwise the parts below would be drawn differently.
    part.style.height = "auto";
    part.style.height = `${Math.ceil(part.getBoundingClientRect().height)}px`;
    const { left, top, width, height } = part.getBoundingClientRect();
    places[part.id] = [left - margin, top + scrollY - margin, width + 2 * margin, height + 2 * margin].map(Math.round);
  }
  return places;
}
