// The "Show" button of password fields, and the hint about Caps Lock.
document.querySelectorAll(".password").forEach(function (box) {
  const input = box.querySelector("input");
  const button = box.querySelector("button");
  const hint = box.parentElement.querySelector(".field__caps-lock");

  function show(visible) {
    input.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
  }

  function noteCapsLock(event) {
    if (hint && event.getModifierState) hint.hidden = !event.getModifierState("CapsLock");
  }

  button.addEventListener("click", function () { show(input.type === "password"); });
  input.addEventListener("keyup", noteCapsLock);
  input.addEventListener("blur", function () { if (hint) hint.hidden = true; });
  // Hide it before submitting: browsers store the input of text fields for autocompletion.
  if (input.form) input.form.addEventListener("submit", function () { show(false); });
});
