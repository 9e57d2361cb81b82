// A flash stays until somebody dismisses it; the keyboard's place moves to the page, not to nowhere.
document.addEventListener("click", function (event) {
  const button = event.target.closest(".flash__dismiss");
  if (!button) return;
  button.closest(".flash").remove();
  document.getElementById("content").focus();
});

// Screen readers announce what changes on a page, not what it brings along: each text is taken out and put back.
const UNTIL_THEY_LISTEN_MS = 300;
window.addEventListener("load", function () {
  setTimeout(function () {
    document.querySelectorAll(".flash > p").forEach(function (text) { text.replaceWith(text.cloneNode(true)); });
  }, UNTIL_THEY_LISTEN_MS);
});
