// Looks for new mail every two seconds while the page is in front, and reloads the list when there is some.
const POLL_MS = 2000;
const list = document.querySelector("[data-mailbox-status]");
let lastVersion = null;

async function lookForMail() {
  if (document.hidden) return;
  const response = await fetch(list.dataset.mailboxStatus).catch(function () { return null; });
  if (!response || !response.ok) return;
  const version = await response.text();
  if (lastVersion !== null && version !== lastVersion) location.reload();
  lastVersion = version;
}

if (list) setInterval(lookForMail, POLL_MS);
