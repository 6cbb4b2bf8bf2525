// A picker: a combobox that asks the server for rows of another table; what is chosen are chips.
const WAIT_MS = 200;
let pickers = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// What the page offers without a script: [key, label] of what is chosen.
function chosenIn(root) {
  const select = root.querySelector("select");
  if (select) return [...select.selectedOptions].map((option) => [option.value, option.text.trim()]);
  return [...root.querySelectorAll("input:checked")]
    .filter((input) => input.value !== "")
    .map((input) => [input.value, input.closest("label").textContent.trim()]);
}

class Picker {
  constructor(root) {
    this.root = root;
    this.many = "many" in root.dataset;
    this.canBeEmpty = "blank" in root.dataset;
    this.chosen = new Map(chosenIn(root));
    this.active = -1;
    this.timer = 0;
    this.asked = new AbortController();
    this.build();
    this.drawChips();
  }

  build() {
    const former = this.root.querySelector("select, .picker-search input");
    const id = `picker-${(pickers += 1)}`;
    this.input = element("input", {
      class: former.className.replace("form-select", "form-control"), id: former.id, type: "text", role: "combobox",
      autocomplete: "off", spellcheck: "false", maxlength: "200", placeholder: "Search",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
    });
    for (const name of ["aria-label", "aria-invalid", "aria-describedby"]) {
      if (former.hasAttribute(name)) this.input.setAttribute(name, former.getAttribute(name));
    }
    this.name = former.getAttribute("aria-label") || former.labels[0]?.textContent || "Choices";
    this.list = element("ul", { id: `${id}-list`, role: "listbox", class: "picker-list", "aria-label": this.name });
    this.list.hidden = true;
    this.chips = element("ul", { class: "chips", "aria-label": `${this.name}: chosen` });
    this.status = element("p", { class: "visually-hidden", role: "status" });
    this.root.replaceChildren(this.chips, this.input, this.list, this.status);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("click", () => { if (this.list.hidden) this.search(); });
    this.input.addEventListener("blur", () => this.leave());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
  }

  drawChips() {
    const { name } = this.root.dataset;
    const chips = [...this.chosen].map(([key, label]) => {
      const chip = element("li", {}, element("span", {}, label), element("input", { type: "hidden", name, value: key }));
      if (this.many || this.canBeEmpty) {
        const remove = element("button", { type: "button", "aria-label": `Remove ${label}` }, "×");
        remove.addEventListener("click", () => this.remove(key, label));
        chip.append(remove);
      }
      return chip;
    });
    this.chips.replaceChildren(...chips);
    this.chips.hidden = !chips.length;
  }

  remove(key, label) {
    this.chosen.delete(key);
    this.changed(`${label} removed`);
  }

  changed(words) {
    this.drawChips();
    this.status.textContent = words;
    this.input.focus();
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  typed() {
    clearTimeout(this.timer);
    this.asked.abort();
    this.timer = setTimeout(() => this.search(), WAIT_MS);
  }

  async search() {
    clearTimeout(this.timer);
    this.asked.abort();
    this.asked = new AbortController();
    const url = `${this.root.dataset.picker}?q=${encodeURIComponent(this.input.value.trim())}`;
    try {
      const response = await fetch(url, { signal: this.asked.signal, headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      this.draw(await response.json());
    } catch (error) {
      if (error.name === "AbortError") return;
      this.close();
      this.status.textContent = "The search did not work. Reload the page and try again.";
    }
  }

  draw(found) {
    if (document.activeElement !== this.input) return;
    const left = found.filter((choice) => !this.chosen.has(String(choice.id)));
    const options = left.map((choice, index) => {
      const option = element("li", { id: `${this.list.id}-${index}`, role: "option", "data-key": choice.id });
      option.dataset.label = [choice.label, choice.hint].filter(Boolean).join(" · ");
      option.append(element("span", {}, choice.label));
      if (choice.hint) option.append(" ", element("span", { class: "muted" }, choice.hint));
      return option;
    });
    this.list.replaceChildren(...options);
    this.list.hidden = !options.length;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.mark(this.input.value.trim() ? 0 : -1);
    this.status.textContent = options.length ? `${options.length} to choose from` : "Nothing is called that.";
  }

  mark(index) {
    const options = [...this.list.children];
    this.active = options.length && index >= 0 ? index % options.length : -1;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
    if (this.active < 0) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    this.input.setAttribute("aria-activedescendant", options[this.active].id);
    options[this.active].scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    if (option) this.take(option.dataset.key, option.dataset.label);
  }

  take(key, label) {
    if (!this.many) this.chosen.clear();
    this.chosen.set(key, label);
    this.input.value = "";
    this.close();
    this.changed(`${label} chosen`);
  }

  close() {
    clearTimeout(this.timer);
    this.asked.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  leave() {
    this.input.value = "";
    this.close();
  }

  pressed(event) {
    if (event.isComposing) return;
    const isOpen = !this.list.hidden;
    const count = this.list.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) this.search();
      else if (event.key === "ArrowDown") this.mark(this.active + 1);
      else this.mark(this.active <= 0 ? count - 1 : this.active - 1);
    } else if (event.key === "Enter" && (isOpen || this.input.value)) {
      // Half a search must not send the form.
      event.preventDefault();
      this.choose(this.list.children[this.active]);
    } else if (event.key === "Escape" && (isOpen || this.input.value)) {
      event.preventDefault();
      this.leave();
    }
  }
}

const scripted = new WeakMap();

export function mount(root) {
  scripted.set(root, new Picker(root));
}

// Choose a row that was not there when the page was made.
export function take(root, choice) {
  const label = [choice.label, choice.hint].filter(Boolean).join(" · ");
  if (scripted.has(root)) {
    scripted.get(root).take(String(choice.id), label);
    return;
  }
  const select = root.querySelector("select");
  select.add(new Option(label, choice.id, true, true));
  select.focus();
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

for (const root of document.querySelectorAll("[data-picker]")) mount(root);
