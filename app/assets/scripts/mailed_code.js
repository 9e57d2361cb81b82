// The page that waits for a mailed code goes on once the mailed link was used in another tab of this browser: it then
// answers with a redirect. A hidden page does not ask. The others ask less and less often.
const waiting = document.querySelector("[data-go-on-to]");
const LONGEST_PAUSE_MS = 20000;
let pauseMs = 2000;
let timer;

async function look() {
  clearTimeout(timer);
  const response = document.hidden ? null : await fetch(location.href, { redirect: "manual" }).catch(function () { return null; });
  if (response && response.type === "opaqueredirect") {
    location.assign(waiting.dataset.goOnTo);
    return;
  }
  pauseMs = Math.min(pauseMs * 1.2, LONGEST_PAUSE_MS);
  timer = setTimeout(look, pauseMs);
}

if (waiting) {
  timer = setTimeout(look, pauseMs);
  document.addEventListener("visibilitychange", look);
}
