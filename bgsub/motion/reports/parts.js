"use strict";
// What the scripts of all pages about events ask of their parts: the form above a list says what somebody wants to see.
const eventParts = {
  unusual: 0.9, // as UNUSUAL of page_parts.py
  form: () => document.querySelector("form.filters"),
  // What the form asks for; a field that is not offered asks for nothing.
  wishes(form) {
    const { source, zone, kind, shortest, odd, sort } = form.elements;
    const of = (field) => (field && field.value) || "";
    return { source: of(source), zone: of(zone), kind: of(kind), shortest: Number(of(shortest)), sort: of(sort),
      unusual: odd && odd.checked ? this.unusual : 0 };
  },
  // Whether an item of the list, by its attributes, is what is asked for.
  fits(data, wishes) {
    return (!wishes.source || data.source === wishes.source) && (!wishes.kind || data.kind === wishes.kind) &&
      (!wishes.zone || data.zones.split(" ").includes(wishes.zone)) &&
      Number(data.length) >= wishes.shortest && Number(data.unusual) >= wishes.unusual;
  },
  // Have a function called now and whenever the form asks for something else; then the form is of use.
  whenAsked(form, show) {
    form.hidden = false;
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(show));
    show();
  },
};
