// A flashed message stays until the user dismisses it. The focus moves to the content; otherwise it would be lost.
document.addEventListener("click", function (event) {
  const button = event.target.closest(".flash__dismiss");
  if (!button) return;
  button.closest(".flash").remove();
  document.getElementById("content").focus();
});

// Screen readers announce only changes of a page, not its first content: replace each text with a copy of itself.
const UNTIL_THEY_LISTEN_MS = 300;
window.addEventListener("load", function () {
  setTimeout(function () {
    document.querySelectorAll(".flash > p").forEach(function (text) { text.replaceWith(text.cloneNode(true)); });
  }, UNTIL_THEY_LISTEN_MS);
});
