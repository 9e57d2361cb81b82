// Forms with data-guard cannot be submitted twice, show that they are being submitted, and warn before input is lost.
const changedForms = new Set();

function isTyped(form) {
  return form.method === "post" && Boolean(form.querySelector("input:not([type=hidden], [type=password]), textarea, select"));
}

function showProgress(form, button) {
  form.setAttribute("aria-busy", "true");
  const sent = button || form.querySelector("button:not([type=button])");
  if (sent) sent.setAttribute("aria-disabled", "true");
}

function allowAgain(form) {
  form.removeAttribute("aria-busy");
  form.querySelectorAll("[aria-disabled]").forEach(function (button) { button.removeAttribute("aria-disabled"); });
}

document.querySelectorAll("form[data-guard]").forEach(function (form) {
  form.addEventListener("input", function () { if (isTyped(form)) changedForms.add(form); });
  form.addEventListener("submit", function (event) {
    if (event.defaultPrevented) return;
    if (form.getAttribute("aria-busy")) { event.preventDefault(); return; }
    changedForms.delete(form);
    showProgress(form, event.submitter);
  });
});

// A file that is too large is told before it is sent.
document.querySelectorAll("input[type=file][data-max-bytes]").forEach(function (input) {
  input.addEventListener("change", function () {
    const isTooLarge = Array.from(input.files).some(function (file) { return file.size > Number(input.dataset.maxBytes); });
    input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
    if (isTooLarge) input.reportValidity();
  });
});

window.addEventListener("beforeunload", function (event) {
  if (changedForms.size) event.preventDefault();
});

// For scripts that send another form in place of the one into which something was typed.
document.addEventListener("leaveforms", function () { changedForms.clear(); });

// A page restored from the back/forward cache still shows the state of its last submission.
window.addEventListener("pageshow", function (event) {
  if (event.persisted) document.querySelectorAll("form[aria-busy]").forEach(allowAgain);
});

// Move the focus to the first error, for screen reader users.
const firstProblem = document.querySelector("form [aria-invalid=true], form .message--error");
if (firstProblem && !document.querySelector("[autofocus]")) firstProblem.focus();
