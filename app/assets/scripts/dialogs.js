// A form with data-confirm shows that question in a dialog before it is submitted. The listener runs in the capture
// phase, before the guard in forms.js.
function confirmationDialog(form, button) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const question = document.createElement("h2");
  question.id = "confirmation-question";
  question.textContent = form.dataset.confirm;
  dialog.setAttribute("aria-labelledby", question.id);
  const actions = document.createElement("div");
  actions.className = "dialog__actions";
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "button";
  cancel.textContent = "Cancel";
  const go = document.createElement("button");
  go.type = "button";
  go.className = button.className;
  go.textContent = button.textContent;
  actions.append(cancel, go);
  dialog.append(question, actions);
  cancel.addEventListener("click", function () { dialog.close(); });
  go.addEventListener("click", function () {
    form.dataset.confirmed = "yes";
    dialog.close();
    form.requestSubmit(button);
  });
  dialog.addEventListener("close", function () { dialog.remove(); button.focus(); });
  return dialog;
}

document.addEventListener("submit", function (event) {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  const dialog = confirmationDialog(form, event.submitter || form.querySelector("button"));
  document.body.append(dialog);
  dialog.showModal();
}, true);
