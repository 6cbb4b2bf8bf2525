// Room for one more row in a form, without sending it: the last row again, empty, under a new key.
const NUMBERED = ["id", "name", "for", "aria-describedby"];

function renumber(element, from, to) {
  for (const name of NUMBERED) {
    const value = element.getAttribute(name);
    if (value) element.setAttribute(name, value.replaceAll(from, to));
  }
}

function emptied(row) {
  const copy = row.cloneNode(true);
  const [from, number] = copy.querySelector("[name$=row_version]").name.match(/new(\d+)/);
  for (const element of copy.querySelectorAll("*")) {
    renumber(element, from, `new${Number(number) + 1}`);
    element.classList.remove("is-invalid");
    element.removeAttribute("aria-invalid");
    if (element.matches("input, textarea")) element.value = "";
    if (element.matches(".invalid-feedback")) element.remove();
  }
  return copy;
}

for (const button of document.querySelectorAll("[data-more]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const row = emptied(button.previousElementSibling);
    button.before(row);
    row.querySelector("input:not([type=hidden]), textarea, select").focus();
  });
}
