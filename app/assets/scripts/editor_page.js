// The editor around the text area: toolbar, shortcuts, preview, and saving without leaving the page. Without scripts it
// is a plain form.
const PREVIEW_PAUSE_MS = 400;

function useTool(tool, area) {
  area.focus();
  tool.apply(area);
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function toolButton(tool, area) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = tool.label;
  button.title = tool.key ? `${tool.name} (Ctrl+${tool.key.toUpperCase()})` : tool.name;
  button.setAttribute("aria-label", tool.name);
  button.addEventListener("click", function () { useTool(tool, area); });
  return button;
}

function addToolbar(area) {
  const toolbar = document.createElement("div");
  toolbar.className = "editor__tools";
  toolbar.setAttribute("role", "group");
  toolbar.setAttribute("aria-label", "Formatting");
  toolbar.append(...EDITOR_TOOLS.map(function (tool) { return toolButton(tool, area); }));
  area.before(toolbar);
}

function listenForShortcuts(area) {
  area.addEventListener("keydown", function (event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const tool = EDITOR_TOOLS.find(function (candidate) { return candidate.key === event.key.toLowerCase(); });
    if (!tool) return;
    event.preventDefault();
    useTool(tool, area);
  });
}

function addPreview(form, area) {
  const panes = document.createElement("div");
  panes.className = "editor__panes";
  const preview = document.createElement("div");
  preview.className = "editor__preview prose";
  preview.setAttribute("role", "region");
  preview.setAttribute("aria-label", "Preview");
  preview.tabIndex = 0;
  const field = area.closest(".field");
  field.before(panes);
  panes.append(field, preview);
  let timer = 0;
  area.addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(function () { showPreview(form, preview); }, PREVIEW_PAUSE_MS);
  });
  showPreview(form, preview);
}

async function showPreview(form, preview) {
  const response = await send(form, form.dataset.editor);
  // Safe: the server returns HTML that its allow-list has sanitized, as it does for the page itself.
  if (response && response.ok) preview.innerHTML = await response.text();
}

function send(form, url) {
  const body = new URLSearchParams(new FormData(form));
  return fetch(url, { method: "POST", body: body, headers: { Accept: "application/json" } }).catch(function () { return null; });
}

async function failure(response) {
  if (!response) return { error: "The server did not answer." };
  if (response.redirected || response.status === 401) return { error: "You are no longer logged in." };
  const answer = await response.json().catch(function () { return {}; });
  return { ...answer, error: answer.error || `The server answered ${response.status}.` };
}

// Opens in a new tab, because this one holds the text.
function linkToPage(answer) {
  const link = document.createElement("a");
  link.href = answer.page;
  link.target = "_blank";
  link.textContent = `${answer.action} in a new tab, come back to this one, and save again.`;
  return link;
}

function status(form) {
  const known = form.querySelector("[data-editor-status]");
  if (known) return known;
  const line = document.createElement("p");
  line.dataset.editorStatus = "";
  line.setAttribute("role", "status");
  form.append(line);
  return line;
}

function saveInPlace(form) {
  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    const line = status(form);
    line.className = "message";
    line.textContent = "Saving…";
    const response = await send(form, form.action);
    if (response && response.ok && !response.redirected) { changedText = false; location.reload(); return; }
    // Another text was saved meanwhile: the server shows both.
    if (response && response.status === 409) { changedText = false; form.submit(); return; }
    line.className = "message message--error";
    const answer = await failure(response);
    line.textContent = `Not saved. ${answer.error} Your text is still here. `;
    if (answer.page) line.append(linkToPage(answer));
  });
}

let changedText = false;
document.querySelectorAll("form[data-editor]").forEach(function (form) {
  const area = form.querySelector("textarea");
  addToolbar(area);
  listenForShortcuts(area);
  saveInPlace(form);
  area.addEventListener("input", function () { changedText = true; });
  const details = form.closest("details");
  details.addEventListener("toggle", function () { addPreview(form, area); }, { once: true });
});
window.addEventListener("beforeunload", function (event) { if (changedText) event.preventDefault(); });
