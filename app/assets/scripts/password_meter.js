// After a pause in typing, asks the server how strong the password is, so that the meter applies the form's own rule.
const TYPING_PAUSE_MS = 400;

async function askStrength(box, input) {
  const body = new URLSearchParams({ password: input.value, csrf_token: box.dataset.token });
  // A password made of the user's name is weak, so the server needs the name, too.
  ["email", "first_name", "last_name"].forEach(function (name) {
    const field = input.form.elements[name];
    if (field) body.set(name, field.value);
  });
  const response = await fetch(box.dataset.url, { method: "POST", body: body, credentials: "same-origin" });
  return response.ok ? response.json() : null;
}

function showStrength(box, strength) {
  const advice = [strength.problem, ...strength.advice].filter(Boolean).join(" ");
  box.querySelector("meter").value = strength.score + 1; // an empty meter would look broken
  box.querySelector("p").textContent = strength.acceptable ? "This password is strong enough." : advice;
}

function clearStrength(box, text) {
  box.querySelector("meter").value = 0;
  box.querySelector("p").textContent = text;
}

document.querySelectorAll("[data-password-meter]").forEach(function (box) {
  const input = document.getElementById(box.dataset.passwordMeter);
  const hint = box.querySelector("p");
  const invitation = hint.textContent;
  input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), hint.id].filter(Boolean).join(" "));
  let timer = 0;
  let asked = "";

  async function update() {
    const password = input.value;
    if (password === asked) return;
    asked = password;
    if (!password) { clearStrength(box, invitation); return; }
    const strength = await askStrength(box, input).catch(function () { return null; });
    // Ignore a response to earlier input.
    if (password !== input.value) return;
    if (strength) showStrength(box, strength);
    else clearStrength(box, "The strength cannot be shown right now.");
  }

  // Password managers fire "change", typing and pasting fire "input".
  ["input", "change"].forEach(function (kind) {
    input.addEventListener(kind, function () {
      clearTimeout(timer);
      timer = setTimeout(update, TYPING_PAUSE_MS);
    });
  });
  if (input.value) update();
});
