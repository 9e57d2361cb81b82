// The light, dark or system theme. The choice is a cookie, so that the server renders the next page in the right theme,
// without a flash of the other one and without a blocking script.
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
  // The browser's frame; templates/partials/_head.html sets the tags.
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

// A page restored from the back/forward cache may show the theme before the last choice.
addEventListener("pageshow", function (event) {
  if (!event.persisted) return;
  const theme = rememberedTheme();
  showTheme(theme);
  document.querySelectorAll(".theme-switch input").forEach(function (input) { input.checked = input.value === theme; });
});

// Safari keeps a cookie set by a script for a week only: renew it on each page.
if (rememberedTheme()) rememberTheme(rememberedTheme());
