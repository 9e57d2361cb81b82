// Tries one number after the other until a key derived from it begins as the task says (ALTCHA, version 2).
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g), function (pair) { return parseInt(pair, 16); });
}

function hexOf(buffer) {
  return Array.from(new Uint8Array(buffer), function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
}

onmessage = async function (event) {
  const task = event.data;
  const nonce = bytesOf(task.nonce);
  const password = new Uint8Array([...nonce, 0, 0, 0, 0]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytesOf(task.salt), iterations: task.cost };
  for (let counter = 0; ; counter++) {
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey("raw", password, how.name, false, ["deriveBits"]);
    const derivedKey = hexOf(await crypto.subtle.deriveBits(how, key, task.keyLength * 8));
    if (derivedKey.startsWith(task.keyPrefix)) {
      postMessage({ counter: counter, derivedKey: derivedKey });
      return;
    }
  }
};
