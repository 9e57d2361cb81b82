// Passkeys. A form with data-passkey fetches a challenge from its own address, has the browser answer it with a
// passkey, and is sent with the answer. It is hidden where the browser cannot do this.
const passkeyForms = document.querySelectorAll("form[data-passkey]");
const addressField = document.querySelector("input[autocomplete~=webauthn]");
const RENEW_AFTER_MS = 240000;  // before the challenge expires
let current = new AbortController();
let renewal;

function isSupported() {
  return Boolean(window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON
    && PublicKeyCredential.parseCreationOptionsFromJSON && PublicKeyCredential.prototype.toJSON);
}

// Returns null if the server did not answer with a challenge, but with a page.
async function challengeOf(form) {
  const response = await fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
  const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
  return isJson ? response.json() : null;
}

function answerTo(form, challenge, options) {
  if (form.dataset.passkey !== "new") {
    options.publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(challenge);
    return navigator.credentials.get(options);
  }
  options.publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(challenge);
  return navigator.credentials.create(options);
}

function addField(form, name, value) {
  form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
}

function send(form, credential) {
  addField(form, "credential", JSON.stringify(credential));
  if (document.querySelector("input[name=remember_me]:checked")) addField(form, "remember_me", "y");
  document.dispatchEvent(new Event("leaveforms"));
  form.submit();
}

function show(form, text) {
  form.querySelector("[role=status]").textContent = text;
}

function explain(form, error) {
  if (error.name === "NotAllowedError") show(form, "No passkey was used. Try again, or choose another way.");
  else if (error.name === "InvalidStateError") show(form, "This device already has a passkey for your account.");
  else show(form, "That did not work. Try again later, or choose another way.");
}

// Only one request can wait for a passkey: a new one ends the one before it.
async function ask(form, mediation) {
  clearTimeout(renewal);
  current.abort();
  const own = current = new AbortController();
  const challenge = await challengeOf(form);
  if (own.signal.aborted) return;
  if (challenge) send(form, await answerTo(form, challenge, {mediation, signal: own.signal}));
  else if (!mediation) form.submit();
}

// Offers passkeys among the suggestions of the address field, again before the challenge expires.
function offer(form) {
  ask(form, "conditional").catch(function () {});
  renewal = setTimeout(function () { offer(form); }, RENEW_AFTER_MS);
}

function setBusy(form, isBusy) {
  form.ariaBusy = form.querySelector("button").ariaDisabled = isBusy ? "true" : null;
}

async function offerIfPossible(form) {
  if (addressField && await PublicKeyCredential.isConditionalMediationAvailable()) offer(form);
}

function prepare(form) {
  form.hidden = false;
  form.dataset.ready = "";
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    if (form.ariaBusy) return;
    setBusy(form, true);
    show(form, "");
    ask(form).catch(function (error) {
      explain(form, error);
      setBusy(form, false);
      offerIfPossible(form);
    });
  });
  offerIfPossible(form);
}

const canAsk = isSupported();
passkeyForms.forEach(function (form) { if (canAsk) prepare(form); else form.hidden = true; });
document.querySelectorAll("[data-without-passkeys]").forEach(function (text) { text.hidden = canAsk; });
