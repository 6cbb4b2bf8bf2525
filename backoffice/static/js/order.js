// An order's page: its steps open in a dialog over it; without this they are pages of their own.
const dialog = document.getElementById("act-dialog");

function field() {
  return dialog.querySelector("[role=alert], .act-form :is(input:not([type=hidden]), textarea, select)");
}

function show(html) {
  dialog.innerHTML = html;
  dialog.setAttribute("aria-label", dialog.querySelector("h1").textContent);
  if (!dialog.open) dialog.showModal();
  field()?.focus();
}

async function open(link) {
  const address = new URL(link.href);
  address.searchParams.set("dialog", "1");
  try {
    const response = await fetch(address);
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    show(await response.text());
  } catch {
    // The page of its own says what is wrong.
    location.assign(link.href);
  }
}

async function send(form, button) {
  const data = new FormData(form, button);
  data.set("dialog", "1");
  const buttons = [...form.querySelectorAll("button[type=submit]")];
  for (const one of buttons) one.disabled = true;
  try {
    // Followed by a script, the way back would use up what the next page has to say.
    const response = await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
    if (response.type === "opaqueredirect") {
      location.assign(form.querySelector("[data-closes]").href);
      return;
    }
    const html = await response.text();
    if (!html.includes('class="act"')) throw new Error(String(response.status));
    show(html);
  } catch {
    let said = form.querySelector(".act-status");
    if (!said) {
      said = document.createElement("p");
      said.className = "act-status";
      said.setAttribute("role", "alert");
      form.querySelector(".save-bar").append(said);
    }
    said.textContent = "This could not be sent. Look at the order before you try again.";
    for (const one of buttons) one.disabled = false;
  }
}

// What the chosen units are worth, and those of them that never left: both can be changed.
function offer(row, units) {
  const [, back, amount] = row.querySelectorAll("input");
  const worth = JSON.parse(row.dataset.worth);
  if (!/^\d+$/.test(units) || Number(units) >= worth.length) return;
  amount.value = Number(units) ? worth[Number(units)] : "";
  back.value = Math.min(Number(units), Number(row.dataset.back));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(link);
  }
  if (event.target.closest("[data-closes]") && dialog?.open) {
    event.preventDefault();
    dialog.close();
  }
});

document.addEventListener("input", (event) => {
  const row = event.target.closest("[data-line]");
  if (row && event.target === row.querySelector("input")) offer(row, event.target.value.trim());
});

dialog?.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter);
});
