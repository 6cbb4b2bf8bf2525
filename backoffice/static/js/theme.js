// Follows the system's light or dark setting, unless the person has chosen one; runs in the head,
// so that no page flashes.
const root = document.documentElement;

if (!root.dataset.bsTheme) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", apply);
  apply();
}
