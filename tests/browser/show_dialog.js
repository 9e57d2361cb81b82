// Run in a page with an open dialog: leaves nothing else visible, and answers where it is.
({ margin }) => {
  const dialog = document.querySelector("dialog[open]");
  document.body.style.visibility = "hidden";
  dialog.style.visibility = "visible";
  dialog.style.marginTop = "2rem"; // centered, it may begin within a pixel
  const { left, top, width, height } = dialog.getBoundingClientRect();
  return [left - margin, top - margin, width + 2 * margin, Math.ceil(height) + 2 * margin].map(Math.round);
}
