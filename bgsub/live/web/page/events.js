// What was recorded: a day as a timeline, and the list of events, filtered, page by page.

import { element, get, localize, query } from "/page/api.js";

const KEPT = "bgsub-events";

export async function showEvents(main, page) {
  const holder = element("div", {});
  holder.innerHTML = await get("/parts/form"); // made and escaped by the server
  const form = holder.querySelector("form");
  const line = element("section", { "aria-label": "Timeline" });
  const heading = element("h2", { id: "timeline" });
  const list = element("div", { id: "list" });
  const more = element("button", { type: "button", hidden: true }, "More");
  const day = form.elements.day;
  const step = (days) => {
    const from = day.value ? new Date(`${day.value}T12:00`) : new Date();
    from.setDate(from.getDate() + days);
    day.value = isoDay(from);
    form.dispatchEvent(new Event("input"));
  };
  main.replaceChildren(
    element("div", { class: "heading" }, heading,
      element("button", { type: "button", click: () => step(-1), "aria-label": "Day before" }, "‹"),
      element("button", { type: "button", click: () => step(1), "aria-label": "Day after" }, "›"),
      element("button", { type: "button", click: () => { day.value = ""; form.dispatchEvent(new Event("input")); } }, "Now")),
    line, element("h2", { id: "events" }, "Events"), form, list, more,
  );
  restore(form);
  const count = form.querySelector("output");
  let newest = {}, next = null;

  const asked = () => {
    const wishes = eventParts.wishes(form);
    return {
      camera: wishes.source, zone: wishes.zone, min_length: wishes.shortest || "", unusual: wishes.unusual || "",
    };
  };
  const load = async () => {
    const mine = (newest = {});
    more.disabled = true;  // it would add to a list that is about to be replaced
    if (!day.value && (form.elements.from.value || form.elements.until.value)) day.value = isoDay(new Date());
    const [start, end] = span(day.value);
    const filters = asked();
    keep(form);
    heading.textContent = day.value ? `Timeline of ${start.toLocaleDateString(undefined, { dateStyle: "full" })}` : "The last 24 hours";
    const ofDay = hours(form);
    const [drawn, listed] = await Promise.all([
      get(`/parts/timeline${query({ start: start.toISOString(), end: end.toISOString(), ...filters })}`),
      get(`/parts/events${query({ ...ofDay, ...filters })}`),
    ]);
    if (mine !== newest) return;
    line.innerHTML = drawn;
    list.innerHTML = listed;
    told();
    more.disabled = false;
    for (const row of line.querySelectorAll(".row svg")) byArrows(row);
    offerMoments(line, start, end);
  };
  const told = () => {
    localize(line);
    localize(list);
    next = list.querySelector("ul:last-of-type").dataset.next || null;
    more.hidden = !next;
    const items = list.querySelectorAll("li").length;
    const asksForLess = form.elements.from.value || form.elements.until.value || Object.values(asked()).some(Boolean);
    count.textContent = items ? `${items}${next ? " or more" : ""} shown` : asksForLess ? "no such event" : "nothing moved";
  };
  more.addEventListener("click", async () => {
    const ofDay = hours(form);
    const mine = newest;
    more.disabled = true;
    try {
      const holder = element("div", {});
      holder.innerHTML = await get(`/parts/events${query({ ...ofDay, ...asked(), before: next })}`);
      if (mine !== newest) return;
      const first = holder.querySelector("a");
      list.querySelector("ul").append(...holder.querySelectorAll("li"));
      list.querySelector("ul").dataset.next = holder.querySelector("ul").dataset.next || "";
      told();
      if (first) first.focus({ preventScroll: true });
    } finally {
      if (mine === newest) more.disabled = false;
    }
  });
  const failed = (error) => {
    more.hidden = true;
    list.replaceChildren(element("p", { class: "wrong", role: "alert" }, error.message));
  };
  let waiting = 0;
  const soon = (delay) => {
    clearTimeout(waiting);
    newest = {};
    more.disabled = true;
    waiting = setTimeout(() => load().catch(failed), delay);
  };
  const news = ({ detail }) => {
    const atTop = list.querySelectorAll("li").length <= 24 && scrollY < 400;
    if ((detail.events.length || detail.missed) && atTop && !list.contains(document.activeElement)) soon(300);
  };
  page.socket.addEventListener("news", news);
  let first = true;
  eventParts.whenAsked(form, () => {
    if (!first) soon(150);
    first = false;
  });
  await load();
  return () => {
    clearTimeout(waiting);
    newest = {};
    page.socket.removeEventListener("news", news);
  };
}

// Of a row's events the Tab key stops at the latest alone; arrow keys go to the others.
function byArrows(row) {
  const bars = [...row.querySelectorAll("a")].sort((one, other) => place(one) - place(other));
  const stopAt = (bar) => {
    for (const one of bars) one.setAttribute("tabindex", one === bar ? 0 : -1);
  };
  stopAt(bars.at(-1));
  row.addEventListener("keydown", (event) => {
    const at = bars.indexOf(event.target);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    const bar = bars[Math.min(bars.length - 1, Math.max(0, next))];
    stopAt(bar);
    bar.focus();
  });
}

const place = (bar) => Number(bar.querySelector("rect").getAttribute("x"));

// A click on a timeline beside its events plays what was recorded then, where all is recorded.
function offerMoments(line, start, end) {
  for (const row of line.querySelectorAll(".row svg")) {
    const camera = row.closest(".row").querySelector(".name").firstChild.textContent.trim();
    row.addEventListener("click", async (event) => {
      if (event.target.closest("a")) return;
      const box = row.getBoundingClientRect();
      const at = new Date(+start + ((event.clientX - box.left) / box.width) * (end - start));
      const { segments } = await get(`/api/segments${query({ camera, start: at.toISOString(), end: new Date(+at + 1000).toISOString() })}`);
      if (segments.length) location.hash = `#/moment/${camera}/${at.toISOString()}`;
    });
  }
}

// From when to when: a day of the viewer's zone, or the last 24 hours.
function span(day) {
  if (!day) {
    const now = new Date();
    return [new Date(now - 86400000), now];
  }
  const start = new Date(`${day}T00:00`), end = new Date(`${day}T00:00`);
  end.setDate(end.getDate() + 1); // of 23 or 25 hours where the clocks change
  return [start, end];
}

// The hours of the day whose events are listed; over midnight where the second is the earlier one.
function hours(form) {
  const { day, from, until } = form.elements;
  if (!day.value) return {};
  const [midnight, next] = span(day.value);
  const start = from.value ? new Date(`${day.value}T${from.value}`) : midnight;
  const end = until.value ? new Date(`${day.value}T${until.value}`) : next;
  if (end <= start) end.setDate(end.getDate() + 1);
  return { start: start.toISOString(), end: end.toISOString() };
}

function isoDay(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

// What the form asks for stays while an event is played.
function keep(form) {
  const values = {};
  for (const field of form.elements) if (field.name) values[field.name] = field.type === "checkbox" ? field.checked : field.value;
  sessionStorage.setItem(KEPT, JSON.stringify(values));
}

function restore(form) {
  for (const [name, value] of Object.entries(JSON.parse(sessionStorage.getItem(KEPT) || "{}"))) {
    const field = form.elements[name];
    if (field && field.type === "checkbox") field.checked = value;
    else if (field) field.value = value;
  }
}
