// Light, dark, or what the system says. The choice is a cookie, so that the server draws the next page right from
// its first byte, without a flash and without a script in the page's way.
const YEAR_SECONDS = 31536000;

function rememberTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme ? YEAR_SECONDS : 0;
  document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}

function rememberedTheme() {
  const cookie = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/);
  return cookie ? cookie[1] : "";
}

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  // The browser's own frame, as templates/partials/_head.html colors it.
  document.querySelectorAll("meta[name=theme-color]").forEach(function (color) {
    const mode = color.dataset.mode;
    const chosen = theme === mode ? "all" : "not all";
    color.media = theme ? chosen : `(prefers-color-scheme: ${mode})`;
  });
}

document.querySelectorAll(".theme-switch input").forEach(function (input) {
  input.addEventListener("change", function () {
    rememberTheme(input.value);
    showTheme(input.value);
  });
});

// "Back" may bring a page as it was left, before the choice was made on another one.
addEventListener("pageshow", function (event) {
  if (!event.persisted) return;
  const theme = rememberedTheme();
  showTheme(theme);
  document.querySelectorAll(".theme-switch input").forEach(function (input) { input.checked = input.value === theme; });
});

// Safari keeps a script's cookie for a week: each page begins a new one.
if (rememberedTheme()) rememberTheme(rememberedTheme());
