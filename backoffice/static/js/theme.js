// Follows the system's light or dark setting; runs in the head, so that no page flashes.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function apply() {
  document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light";
}

dark.addEventListener("change", apply);
apply();
