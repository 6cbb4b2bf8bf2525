// What a picker lacks is made in a panel beside the form, which keeps all that was typed.
import { mount, take } from "./picker.js";

const panel = document.getElementById("side-panel");
const failure = panel.firstElementChild;
let opener = null;
let shown = "";

function fill(html) {
  panel.innerHTML = html;
  for (const root of panel.querySelectorAll("[data-picker]")) mount(root);
}

function say(words) {
  panel.querySelector(".side-status").textContent = words;
}

function firstField() {
  return panel.querySelector("[role=alert], .field :is(input, select, textarea)");
}

async function load(address) {
  // Closed by mistake, the panel opens as it was left.
  if (shown === address) return;
  const response = await fetch(`${address}?panel=1`);
  if (!response.ok || response.redirected) throw new Error(String(response.status));
  fill(await response.text());
  shown = address;
}

async function open(link) {
  opener = link;
  try {
    await load(link.pathname);
  } catch {
    panel.replaceChildren(failure);
    shown = "";
  }
  panel.setAttribute("aria-label", panel.querySelector("h2").textContent);
  panel.showModal();
  firstField()?.focus();
}

async function chooseNew(key) {
  const response = await fetch(`${opener.dataset.creates}?id=${key}`);
  const [choice] = response.ok ? await response.json() : [];
  panel.close();
  panel.replaceChildren();
  shown = "";
  if (choice) take(opener.parentElement.querySelector(".picker"), choice);
}

async function save(form) {
  const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
  if (response.status === 201) {
    await chooseNew((await response.json()).id);
  } else if (response.status === 422) {
    fill(await response.text());
    firstField().focus();
  } else if (response.status === 401) {
    say("You are signed out. Sign in in another tab, then save again.");
  } else {
    say("This could not be saved. Try again.");
  }
}

async function send(form) {
  const buttons = form.querySelectorAll("button[type=submit]");
  for (const button of buttons) button.disabled = true;
  say("");
  try {
    await save(form);
  } catch {
    say("The server could not be reached. Try again.");
  }
  for (const button of buttons) button.disabled = false;
}

for (const link of document.querySelectorAll("[data-creates]")) {
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", "dialog");
  link.querySelector(".visually-hidden").remove();
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); link.click(); }
  });
}
panel.addEventListener("click", (event) => { if (event.target.closest("[data-closes]")) panel.close(); });
panel.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  event.preventDefault();
  send(event.target);
});
