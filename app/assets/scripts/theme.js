// Light, dark, or what the system says. The choice is a cookie, so that the server draws the next page right from
// its first byte, without a flash and without a script in the page's way.
const YEAR_SECONDS = 31536000;

function chooseTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme ? YEAR_SECONDS : 0;
  document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

document.querySelectorAll(".theme-switch input").forEach(function (input) {
  input.addEventListener("change", function () { chooseTheme(input.value); });
});
