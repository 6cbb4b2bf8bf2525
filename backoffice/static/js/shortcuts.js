// Keys for those who work lists all day: / search, j k rows, x ticks, Enter opens, ? shows the map.
// Switched off by data-shortcuts="off" on the page, which the person chooses in their profile.
const map = document.getElementById("shortcuts");
const rows = [...document.querySelectorAll(".list tbody tr")];
let current = -1;

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog") !== null;
}

function go(step) {
  if (!rows.length) return;
  current = Math.min(Math.max(current + step, 0), rows.length - 1);
  rows[current].querySelector("a").focus();
  rows[current].scrollIntoView({ block: "nearest" });
}

const actions = {
  "/": () => document.getElementById("search")?.focus(),
  j: () => go(1),
  k: () => go(-1),
  x: () => rows[current]?.querySelector("input[name=rowid]")?.click(),
  "?": () => map?.showModal(),
};

document.addEventListener("focusin", (event) => {
  const row = event.target.closest(".list tbody tr");
  if (row) current = rows.indexOf(row);
});

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
