// Ticking rows of a list: all of a page at once, and how many it are. Without it, ticks and the form work.
const form = document.getElementById("bulk");
const ticks = [...document.querySelectorAll("input[name=rowid]")];
const all = document.querySelector("[data-tick-all]");
const words = form.querySelector("[data-ticked]");
const usual = words.textContent;

function tell() {
  const count = ticks.filter((tick) => tick.checked).length;
  words.textContent = count ? `${count} ticked ${count === 1 ? "row" : "rows"}` : usual;
  all.checked = count === ticks.length;
  all.indeterminate = count > 0 && count < ticks.length;
}

all.hidden = false;
all.addEventListener("change", () => {
  for (const tick of ticks) tick.checked = all.checked;
  tell();
});
for (const tick of ticks) tick.addEventListener("change", tell);
window.addEventListener("pageshow", tell);
