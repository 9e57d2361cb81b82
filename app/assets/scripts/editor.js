// The editor's buttons: they wrap the selection, or add or remove a prefix of its lines.
function wrapSelection(area, before, after, sample) {
  const start = area.selectionStart;
  const chosen = area.value.slice(start, area.selectionEnd) || sample;
  area.setRangeText(before + chosen + after, start, area.selectionEnd, "end");
  area.setSelectionRange(start + before.length, start + before.length + chosen.length);
}

function beginLines(area, prefix) {
  const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const lines = area.value.slice(start, area.selectionEnd).split("\n");
  const begun = lines.every(function (line) { return line.startsWith(prefix); });
  const changed = lines.map(function (line) { return begun ? line.slice(prefix.length) : prefix + line; }).join("\n");
  area.setRangeText(changed, start, area.selectionEnd, "end");
}

const EDITOR_TOOLS = [
  { label: "H2", name: "Heading", apply: function (area) { beginLines(area, "## "); } },
  { label: "H3", name: "Small heading", apply: function (area) { beginLines(area, "### "); } },
  { label: "B", name: "Bold", key: "b", apply: function (area) { wrapSelection(area, "**", "**", "bold"); } },
  { label: "I", name: "Italic", key: "i", apply: function (area) { wrapSelection(area, "*", "*", "italic"); } },
  { label: "Link", name: "Link", key: "k", apply: function (area) { wrapSelection(area, "[", "](https://)", "text"); } },
  { label: "List", name: "List", apply: function (area) { beginLines(area, "- "); } },
  { label: "Quote", name: "Quote", apply: function (area) { beginLines(area, "> "); } }
];
