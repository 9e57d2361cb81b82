// Dropdowns are <details> elements: close them on Escape and on a click elsewhere.
function closeDropdowns(except) {
  document.querySelectorAll(".dropdown[open]").forEach(function (dropdown) {
    if (!dropdown.contains(except)) dropdown.open = false;
  });
}

document.addEventListener("click", function (event) { closeDropdowns(event.target); });
document.addEventListener("keydown", function (event) {
  if (event.key !== "Escape") return;
  const open = document.activeElement.closest(".dropdown[open]");
  closeDropdowns(null);
  if (open) open.querySelector("summary").focus();
});

// On a narrow screen a side menu is one row: scroll the current entry into view.
const currentEntry = document.querySelector(".side-menu [aria-current]");
if (currentEntry) currentEntry.closest("nav").scrollLeft = currentEntry.offsetLeft - 40;
