// Messages: read out when the page has loaded; good news leaves by itself, errors and warnings stay.
const LEAVES_AFTER_MS = 8000;
const region = document.querySelector(".toasts");

function isInUse(notice) {
  return notice.matches(":hover, :focus-within");
}

function leave(notice) {
  if (isInUse(notice)) setTimeout(leave, LEAVES_AFTER_MS, notice);
  else notice.open = false;
}

// A live region speaks of what is put into it, not of what was there from the beginning.
const notices = [...region.children];
region.replaceChildren();
setTimeout(() => region.append(...notices), 100);
for (const notice of notices) {
  if (notice.matches(".notice-success, .notice-info")) setTimeout(leave, LEAVES_AFTER_MS, notice);
}
