// A flash stays until somebody dismisses it; the keyboard's place moves to the page, not to nowhere.
document.addEventListener("click", function (event) {
  const button = event.target.closest(".flash__dismiss");
  if (!button) return;
  button.closest(".flash").remove();
  document.getElementById("content").focus();
});
