// Draws a report's chart from the specification in the page; the table says the same without it.
const holder = document.getElementById("report-chart");
const spec = JSON.parse(document.getElementById("report-chart-spec").textContent);

// Colours come from the stylesheet, so that light and dark are decided in one place.
function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    mark: { color: colour("--accent") },
    line: { point: true },
    axis: {
      labelColor: colour("--muted"), titleColor: colour("--muted"), gridColor: colour("--line"),
      domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12,
    },
  };
}

// Vega would otherwise compile expressions and add style elements, which the policy forbids.
const options = {
  ast: true,
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
  actions: false,
  renderer: "svg",
  mode: "vega-lite",
};

async function draw() {
  // The height is that of all of it: the page has kept this place.
  const whole = { ...spec, width: "container", autosize: { type: "fit", contains: "padding" } };
  await window.vegaEmbed(holder, whole, { ...options, config: theme() });
}

try {
  await import(holder.dataset.library);
  await draw();
  new MutationObserver(draw).observe(document.documentElement, {
    attributes: true, attributeFilter: ["data-bs-theme"],
  });
} catch (error) {
  holder.parentElement.hidden = true;
  console.warn("The chart could not be drawn.", error);
}
