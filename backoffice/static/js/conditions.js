// Fields that matter only while another has a certain value: the others go away and are not sent.
function told(control) {
  return control.type === "checkbox" ? String(control.checked) : control.value;
}

function settle(field, control) {
  const isMet = JSON.parse(field.dataset.values).includes(told(control));
  // What is wrong with it must be seen.
  const isGone = !isMet && !field.querySelector(".invalid-feedback");
  field.toggleAttribute("data-unmet", isGone);
  for (const input of field.querySelectorAll("input, select, textarea")) input.disabled = isGone;
}

for (const field of document.querySelectorAll("[data-when]")) {
  const control = document.getElementById(field.dataset.when);
  control.addEventListener("change", () => settle(field, control));
  settle(field, control);
}
