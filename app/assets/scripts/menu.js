// Dropdowns are <details> elements: close them on Escape, and when a click or the focus goes elsewhere.
const DROPDOWNS = ":is(.dropdown, .user-menu)[open]";

function closeDropdowns(except) {
  document.querySelectorAll(DROPDOWNS).forEach(function (dropdown) {
    if (!dropdown.contains(except)) dropdown.open = false;
  });
}

["click", "focusin"].forEach(function (kind) {
  document.addEventListener(kind, function (event) { closeDropdowns(event.target); });
});
document.addEventListener("keydown", function (event) {
  if (event.key !== "Escape") return;
  const open = document.activeElement.closest(DROPDOWNS);
  closeDropdowns(null);
  if (open) open.querySelector("summary").focus();
});

// On a narrow screen a side menu is one row: scroll the current entry into view.
const currentEntry = document.querySelector(".side-menu [aria-current]");
if (currentEntry) currentEntry.closest("nav").scrollLeft = currentEntry.offsetLeft - 40;
