// A list follows its search form while somebody types; without this script the form's button does it. Everything
// after the form is replaced by what the same URL shows there, so the form itself keeps its focus.
const TYPING_PAUSE_MS = 250;
const searchForm = document.querySelector("form[role=search]");
const searchStatus = searchForm.querySelector("[role=status]");
let typingTimer;
let loading = new AbortController();

searchForm.addEventListener("input", function () {
  clearTimeout(typingTimer);
  typingTimer = setTimeout(showResults, TYPING_PAUSE_MS);
});
searchForm.addEventListener("submit", function () {
  clearTimeout(typingTimer);
  loading.abort();
});

async function showResults() {
  loading.abort();
  loading = new AbortController();
  const address = addressOfResults();
  try {
    const response = await fetch(address, {signal: loading.signal});
    // Logged out, too many requests, an error: show that page instead of a list that does not fit the words.
    if (!response.ok || response.redirected) return location.assign(address);
    const html = await response.text();
    replaceResults(new DOMParser().parseFromString(html, "text/html").querySelector("form[role=search]"));
    history.replaceState(history.state, "", address);
  } catch (error) {
    if (error.name !== "AbortError") tell("The results could not be loaded. Press Search to try again.", true);
  }
}

function addressOfResults() {
  const filled = Array.from(new FormData(searchForm)).filter(function (pair) { return pair[1]; });
  return `${location.pathname}?${new URLSearchParams(filled)}`;
}

function replaceResults(freshForm) {
  const fresh = document.createDocumentFragment();
  while (freshForm.nextSibling) fresh.append(freshForm.nextSibling);
  while (searchForm.nextSibling) searchForm.nextSibling.remove();
  searchForm.after(fresh);
  tell(freshForm.querySelector("[role=status]").textContent, false);
}

function tell(text, isProblem) {
  searchStatus.textContent = text;
  searchStatus.classList.toggle("visually-hidden", !isProblem);
}

// "/" goes to the search field, unless it belongs to a text or to a dialog.
document.addEventListener("keydown", function (event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  event.preventDefault();
  searchForm.elements.search.select();
});
