// A record's form: asks before unsaved work is left behind, and sends itself once.
const form = document.querySelector(".record-form");

if (form) {
  const state = () => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, `${value}`]));
  const opened = state();
  let isSending = false;

  form.addEventListener("submit", (event) => {
    if (isSending) {
      event.preventDefault();
      return;
    }
    isSending = true;
    // Afterwards: a disabled button would not be sent along.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    });
  });

  window.addEventListener("beforeunload", (event) => {
    if (!isSending && (form.hasAttribute("data-unsaved") || state() !== opened)) event.preventDefault();
  });

  // Back from the next page, the form is as it was left, but may be sent again.
  window.addEventListener("pageshow", () => {
    isSending = false;
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
  });
}
