// Checks for new mail every two seconds while the page is visible, and reloads the list when there is some.
const POLL_MS = 2000;
const list = document.querySelector("[data-mailbox-status]");

async function lookForMail() {
  if (document.hidden) return;
  const response = await fetch(list.dataset.mailboxStatus).catch(function () { return null; });
  if (!response || !response.ok) return;
  const version = await response.text();
  // Compare with the version that the page shows: mail may have arrived before the first check.
  if (version !== list.dataset.mailboxVersion) location.reload();
}

if (list) setInterval(lookForMail, POLL_MS);

// A frame as high as its email. The email's own policy lets it run no scripts.
function showWholeEmail(frame) {
  frame.style.height = "0"; // otherwise it would never shrink
  frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 2}px`;
}

document.querySelectorAll(".email-frame").forEach(function (frame) {
  frame.addEventListener("load", function () { showWholeEmail(frame); });
  addEventListener("resize", function () { showWholeEmail(frame); });
  if (frame.contentDocument && frame.contentDocument.readyState === "complete") showWholeEmail(frame);
});
