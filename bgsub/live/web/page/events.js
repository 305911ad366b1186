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
    const [start, end] = span(day.value);
    const filters = asked();
    keep(form);
    heading.textContent = day.value ? `Timeline of ${start.toLocaleDateString(undefined, { dateStyle: "full" })}` : "The last 24 hours";
    const ofDay = day.value ? { start: start.toISOString(), end: end.toISOString() } : {};
    const [drawn, listed] = await Promise.all([
      get(`/parts/timeline${query({ start: start.toISOString(), end: end.toISOString(), ...filters })}`),
      get(`/parts/events${query({ ...ofDay, ...filters })}`),
    ]);
    if (mine !== newest) return;
    line.innerHTML = drawn;
    list.innerHTML = listed;
    told();
    more.disabled = false;
    offerMoments(line, start, end);
  };
  const told = () => {
    localize(line);
    localize(list);
    next = list.querySelector("ul:last-of-type").dataset.next || null;
    more.hidden = !next;
    const items = list.querySelectorAll("li").length;
    count.textContent = items ? `${items}${next ? " or more" : ""} shown` : "nothing moved";
  };
  more.addEventListener("click", async () => {
    const [start, end] = span(day.value);
    const ofDay = day.value ? { start: start.toISOString(), end: end.toISOString() } : {};
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
