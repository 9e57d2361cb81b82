// Run in the components page: opens its dialog, leaves nothing else visible, and returns where it is.
({ margin }) => {
  document.querySelector("form[data-confirm] button").click();
  const dialog = document.querySelector("dialog[open]");
  // Set before the first drawing: a centered dialog may begin at half a pixel, and Chromium keeps that offset.
  dialog.style.marginTop = "2rem";
  document.body.style.visibility = "hidden";
  dialog.style.visibility = "visible";
  const { left, top, width, height } = dialog.getBoundingClientRect();
  return [left - margin, top - margin, width + 2 * margin, Math.ceil(height) + 2 * margin].map(Math.round);
}
