// Run in the components page: draws its texts as bars, and answers where each part is (left, top, width, height).
async ({ fonts, margin }) => {
  for (const [weight, data] of fonts) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    document.fonts.add(await new FontFace("Bars", bytes, { weight }).load());
  }
  const sheet = new CSSStyleSheet();
  // Machines are set up to fit letters to pixels in different ways; geometric precision does not.
  sheet.replaceSync(`*, ::before, ::after, ::placeholder, ::file-selector-button {
    font-family: Bars !important;
    text-rendering: geometricPrecision !important;
  }
  /* What it ends with within a pixel would have the parts below it drawn differently. */
  .component__markup { display: none !important; }
  textarea { resize: none !important; }`);
  document.adoptedStyleSheets = [sheet];
  const places = {};
  for (const part of document.querySelectorAll(".component")) {
    // A part that ended within a pixel would have those below it drawn differently.
    part.style.height = "auto";
    part.style.height = `${Math.ceil(part.getBoundingClientRect().height)}px`;
    const { left, top, width, height } = part.getBoundingClientRect();
    places[part.id] = [left - margin, top + scrollY - margin, width + 2 * margin, height + 2 * margin].map(Math.round);
  }
  return places;
}
