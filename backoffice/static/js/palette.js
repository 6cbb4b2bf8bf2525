// The palette: a dialog with a combobox. Pages come from the page itself, records from the server.
const WAIT_MS = 200;
const MOST_PAGES = 8;
const SHORTEST = 2;

const opener = document.querySelector("[data-palette]");
const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const status = dialog.querySelector("[role=status]");
const pages = JSON.parse(document.getElementById("palette-pages").textContent);

let records = [];
let active = -1;
let timer = 0;
let asked = new AbortController();

function matchingPages(words) {
  const text = (page) => `${page.label} ${page.note} ${page.kind}`.toLowerCase();
  return pages.filter((page) => words.every((word) => text(page).includes(word)));
}

function option(hit, index) {
  const item = document.createElement("li");
  const label = document.createElement("span");
  const note = document.createElement("span");
  item.id = `palette-option-${index}`;
  item.setAttribute("role", "option");
  item.dataset.url = hit.url;
  label.textContent = hit.label;
  note.textContent = [hit.kind, hit.note].filter(Boolean).join(" · ");
  note.className = "muted";
  item.append(label, note);
  return item;
}

function mark(index) {
  const options = [...list.children];
  active = options.length ? (index + options.length) % options.length : -1;
  options.forEach((item, at) => item.setAttribute("aria-selected", String(at === active)));
  if (active < 0) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  input.setAttribute("aria-activedescendant", options[active].id);
  options[active].scrollIntoView({ block: "nearest" });
}

function draw(said) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = [...records, ...matchingPages(words).slice(0, MOST_PAGES)];
  list.replaceChildren(...hits.map(option));
  list.hidden = !hits.length;
  input.setAttribute("aria-expanded", String(hits.length > 0));
  mark(0);
  status.textContent = said || (hits.length ? `${hits.length} to choose from` : "Nothing is called that.");
}

async function search() {
  asked.abort();
  asked = new AbortController();
  const typed = input.value.trim();
  const url = `${opener.dataset.palette}?q=${encodeURIComponent(typed)}`;
  try {
    const response = await fetch(url, { signal: asked.signal, headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    records = (await response.json()).hits;
    draw();
  } catch (error) {
    if (error.name !== "AbortError") draw("Records could not be searched. Reload the page and try again.");
  }
}

function typed() {
  clearTimeout(timer);
  asked.abort();
  records = [];
  const asks = input.value.trim().length >= SHORTEST;
  draw(asks ? "Searching …" : "");
  if (asks) timer = setTimeout(search, WAIT_MS);
}

function open() {
  if (dialog.open) return;
  input.value = "";
  dialog.showModal();
  typed();
}

function go(item) {
  if (item) window.location.assign(item.dataset.url);
}

function pressed(event) {
  const steps = { ArrowDown: active + 1, ArrowUp: active - 1 };
  if (event.key in steps) {
    event.preventDefault();
    mark(steps[event.key]);
  } else if (event.key === "Enter" && !event.isComposing && active >= 0) {
    event.preventDefault();
    go(list.children[active]);
  }
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) opener.querySelector("kbd").textContent = "⌘K";
opener.setAttribute("aria-haspopup", "dialog");
opener.setAttribute("role", "button");
opener.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
opener.addEventListener("keydown", (event) => {
  if (event.key === " ") { event.preventDefault(); open(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    open();
  }
});
input.addEventListener("input", typed);
input.addEventListener("keydown", pressed);
list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
