// A button with data-copy copies the text of the element with that id. If the browser refuses, the text stays selected.
document.querySelectorAll("[data-copy]").forEach(function (button) {
  const label = button.innerHTML;
  button.addEventListener("click", async function () {
    const source = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(source);
    if (!navigator.clipboard) return;
    const copied = await navigator.clipboard.writeText(source.textContent).then(function () { return true; }, function () { return false; });
    if (!copied) return;
    button.textContent = "Copied";
    setTimeout(function () { button.innerHTML = label; }, 2000);
  });
});

// A button with data-print prints the page.
document.querySelectorAll("[data-print]").forEach(function (button) {
  button.addEventListener("click", function () { print(); });
});
