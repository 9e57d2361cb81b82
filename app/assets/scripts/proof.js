// Solves the task of a form in a worker while somebody types. A form that is sent earlier waits for the solution.
const box = document.querySelector("[data-task]");
const field = document.querySelector("form input[name=proof]");
// http on a network has no WebCrypto: the form is then sent as without scripts.
let state = window.isSecureContext && window.Worker ? "working" : "off";
let givenAt = 0;
let sender;

function solve(source) {
  const task = JSON.parse(source);
  const worker = new Worker(box.dataset.worker);
  state = "working";
  // Firefox keeps the value when the page is loaded again.
  field.value = "";
  givenAt = Date.now();
  worker.onmessage = function (event) {
    worker.terminate();
    field.value = btoa(JSON.stringify({ challenge: task, solution: event.data }));
    finish("solved", "Keeping robots out: done.");
  };
  worker.onerror = function () { finish("off", ""); };
  worker.postMessage(task.parameters);
}

function finish(newState, text) {
  state = newState;
  box.textContent = text;
  if (sender !== undefined) field.form.requestSubmit(sender);
}

// The page of the same form has a new task, or none if none is asked for any more.
async function solveAgain() {
  state = "working";
  const page = await fetch(location.href).then(function (response) { return response.text(); }).catch(String);
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[data-task]");
  if (fresh) solve(fresh.dataset.task);
  else finish("off", "");
}

// Before the guard of forms.js, which counts a form as sent.
document.addEventListener("submit", function (event) {
  if (event.target !== field.form || state === "off") return;
  const isOld = Date.now() - givenAt > box.dataset.lifetime * 1000;
  if (state === "solved" && !isOld) return;
  event.preventDefault();
  if (sender === undefined) box.textContent = "One moment: your browser does some work that keeps robots out. Then the form is sent.";
  sender = event.submitter;
  if (state === "solved") solveAgain();
}, true);

if (state === "working") {
  box.textContent = "Keeping robots out: your browser does some work…";
  solve(box.dataset.task);
}
