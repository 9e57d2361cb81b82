// Run in the components page: opens its dialog, leaves nothing else visible, and answers where it is.
({ margin }) => {
  document.querySelector("form[data-confirm] button").click();
  const dialog = document.querySelector("dialog[open]");
  // Before it is drawn for the first time: centered it would begin within a pixel, and Chromium remembers that.
  dialog.style.marginTop = "2rem";
  document.body.style.visibility = "hidden";
  dialog.style.visibility = "visible";
  const { left, top, width, height } = dialog.getBoundingClientRect();
  return [left - margin, top - margin, width + 2 * margin, Math.ceil(height) + 2 * margin].map(Math.round);
}
