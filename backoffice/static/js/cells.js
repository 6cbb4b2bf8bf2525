// Editing plain cells of a list where they stand: Enter or a click edits, Enter or leaving saves,
// Esc leaves it as it was. What is wrong stays at the cell. Without it, the record's form remains.
const store = document.getElementById("cells");
const controls = new Map(
  [...store.querySelectorAll("template")].map((one) => [one.dataset.name, one]),
);

function labelOf(cell) {
  const row = cell.parentElement.querySelector(".row-link").textContent;
  return `${controls.get(cell.dataset.cell).dataset.label} of ${row}`;
}

function dress(cell) {
  const button = document.createElement("button");
  const hint = document.createElement("span");
  button.type = "button";
  button.className = "cell";
  hint.className = "visually-hidden";
  hint.textContent = `, edit ${labelOf(cell)}`;
  button.append(...cell.childNodes, hint);
  button.addEventListener("click", () => open(cell));
  cell.append(button);
}

function show(cell, answer) {
  cell.parentElement.dataset.version = answer.version;
  cell.dataset.value = answer.value;
  cell.innerHTML = answer.shown; // escaped by the server
  dress(cell);
}

function open(cell) {
  const kept = [...cell.childNodes];
  const form = document.createElement("form");
  form.className = "cell-form";
  form.noValidate = true;
  form.append(controls.get(cell.dataset.cell).content.cloneNode(true));
  const control = form.elements[0];
  const isBox = control.type === "checkbox";
  const value = () => (isBox ? (control.checked ? "y" : "") : control.value);
  control.setAttribute("aria-label", labelOf(cell));
  if (isBox) control.checked = cell.dataset.value === "y";
  else control.value = cell.dataset.value;
  cell.replaceChildren(form);
  control.focus();
  if (!isBox) control.select?.();
  let isOver = false;
  let isSaving = false;
  let refused = null; // the value that was not taken
  let theirs = null; // what it has become meanwhile

  function close(withFocus) {
    isOver = true;
    if (theirs) show(cell, theirs);
    else cell.replaceChildren(...kept);
    if (withFocus) cell.querySelector("button").focus();
  }

  function say(text, ...buttons) {
    form.querySelector(".cell-said")?.remove();
    const said = document.createElement("p");
    said.className = "cell-said";
    said.id = "cell-said";
    said.setAttribute("role", "alert");
    said.append(text, ...buttons);
    form.append(said);
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", said.id);
    control.classList.add("is-invalid");
  }

  function choice(words, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-secondary btn-sm";
    button.textContent = words;
    button.addEventListener("click", action);
    return button;
  }

  function clash(answer) {
    const now = document.createElement("span");
    const mine = isBox ? (control.checked ? "yes" : "no") : control.value;
    const text = document.createElement("span");
    now.innerHTML = answer.shown; // escaped by the server
    text.append(`${answer.error} Theirs${answer.who ? `, by ${answer.who}` : ""}: `, now, `. Yours: ${mine}.`);
    theirs = answer;
    cell.parentElement.dataset.version = answer.version;
    say(
      text,
      document.createElement("br"),
      choice("Save mine over it", () => save(true)),
      choice("Keep theirs", () => close(true)),
    );
  }

  async function save(withFocus) {
    if (isOver || isSaving) return;
    if (value() === cell.dataset.value && !theirs) {
      close(withFocus);
      return;
    }
    isSaving = true;
    const sent = new FormData();
    sent.append("csrf_token", document.querySelector("input[name=csrf_token]").value);
    sent.append("id", cell.parentElement.dataset.id);
    sent.append("row_version", cell.parentElement.dataset.version);
    sent.append("cell", cell.dataset.cell);
    if (!isBox || control.checked) sent.append(cell.dataset.cell, value());
    try {
      const response = await fetch(store.dataset.url, {
        method: "POST",
        body: sent,
        headers: { Accept: "application/json" },
      });
      const answer = await response.json();
      if (isOver) return;
      if (response.ok) {
        theirs = answer;
        close(withFocus);
        return;
      }
      refused = value();
      if (response.status === 409) clash(answer);
      else say(answer.error);
    } catch {
      refused = value();
      say("This could not be saved. Try again.");
    } finally {
      isSaving = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(true);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close(true);
    }
    // A box is not sent by Enter of itself.
    if (event.key === "Enter" && isBox && event.target === control) {
      event.preventDefault();
      save(true);
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!theirs && value() !== refused && !form.contains(event.relatedTarget)) save(false);
  });
}

for (const cell of document.querySelectorAll("td[data-cell]")) dress(cell);
