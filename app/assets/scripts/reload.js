// Reloads a page that waits for a job: once the element with data-reload-when-gone is no longer on it. After a minute
// the visitor has to reload it.
const POLL_MS = 2000;
const waitsUntil = Date.now() + 60000;
const waiting = document.querySelector("[data-reload-when-gone]");

async function look() {
  const response = document.hidden ? null : await fetch(location.href).catch(function () { return null; });
  const isDone = response && response.ok && !(await response.text()).includes("data-reload-when-gone");
  // Not while a file is chosen, which a reload would lose.
  const isTyping = Array.from(document.querySelectorAll("input[type=file]")).some(function (input) { return input.value; });
  if (isDone && !isTyping) location.reload();
  else if (Date.now() < waitsUntil) setTimeout(look, POLL_MS);
}

if (waiting) setTimeout(look, POLL_MS);
