// The page is whole without this: it only filters and sorts the list of events.
const form = eventParts.form();
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
  eventParts.whenAsked(form, () => {
    const wishes = eventParts.wishes(form);
    let shown = 0;
    for (const event of events) {
      const fits = eventParts.fits(event.dataset, wishes);
      event.hidden = !fits;
      shown += fits;
      const bar = bars.get(event.id);
      if (bar) bar.style.display = fits ? "" : "none";
    }
    list.append(...[...events].sort(order[wishes.sort]));
    count.textContent = `${shown} of ${events.length} shown`;
  });
}
const paths = document.querySelector("#paths");
if (paths) {
  paths.closest("label").hidden = false;
  paths.addEventListener("change", () => document.body.classList.toggle("no-paths", !paths.checked));
}
