"use strict";
// The page is whole without this: it only filters and sorts the list of events.
const form = document.querySelector("form");
if (form) {
  const list = document.querySelector(".events"), count = document.querySelector("#count");
  const events = [...list.children];
  const bars = new Map([...document.querySelectorAll("a[data-event]")].map((bar) => [bar.dataset.event, bar]));
  const order = {
    time: (a, b) => events.indexOf(a) - events.indexOf(b),
    unusual: (a, b) => b.dataset.unusual - a.dataset.unusual,
    length: (a, b) => b.dataset.length - a.dataset.length,
    area: (a, b) => b.dataset.area - a.dataset.area,
  };
  const show = () => {
    const { source, zone, kind, shortest, odd, sort } = form.elements;
    let shown = 0;
    for (const event of events) {
      const data = event.dataset;
      const fits = (!source || !source.value || data.source === source.value) &&
        (!zone || !zone.value || data.zones.split(" ").includes(zone.value)) &&
        (!kind || !kind.value || data.kind === kind.value) &&
        Number(data.length) >= Number(shortest.value || 0) && (!odd || !odd.checked || Number(data.unusual) >= 0.9);
      event.hidden = !fits;
      shown += fits;
      const bar = bars.get(event.id);
      if (bar) bar.style.display = fits ? "" : "none";
    }
    list.append(...[...events].sort(order[sort.value]));
    count.textContent = `${shown} of ${events.length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  show();
}
const paths = document.querySelector("#paths");
if (paths) {
  paths.closest("label").hidden = false;
  paths.addEventListener("change", () => document.body.classList.toggle("no-paths", !paths.checked));
}
