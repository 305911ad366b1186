// Requests to the API, and small things that all parts of the page need.

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// Ask; returns what JSON or HTML says, and throws `Refused` with the server's line where that is an error.
export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (method !== "GET") options.headers["X-Bgsub"] = "1";
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused(0, "The program does not answer.");
  }
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  const content = answer.status === 204 ? null : isJson ? await answer.json() : await answer.text();
  if (answer.ok) return content;
  if (answer.status === 401 && !path.startsWith("/api/session")) dispatchEvent(new Event("bgsub-password"));
  throw new Refused(answer.status, (content && content.error) || `Answer ${answer.status}`);
}

export const get = (path) => ask("GET", path);

// What follows the question mark, of values that are there.
export function query(values) {
  const there = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return there.length ? `?${new URLSearchParams(there)}` : "";
}

// Make an element: its name, attributes (functions are listeners, true is an empty one), and what is in it.
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...content.filter((one) => one !== null && one !== undefined && one !== ""));
  return made;
}

export function svgElement(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// ------------------------------------------------------------------------------------------------------------- times

const formats = {
  moment: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  clock: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
  time: new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }),
};
const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

export const written = (text, how = "moment") => formats[how].format(new Date(text));

// A text with moments of the viewer's zone in the place of those in UTC; of today's the time alone.
export function localized(text) {
  const today = new Date().toDateString();
  return text.replace(STAMP, (found) => written(found, new Date(found).toDateString() === today ? "time" : "moment"));
}

// Write all times below an element in the viewer's zone.
export function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = written(time.dateTime, time.dataset.show || "moment");
  }
  for (const title of root.querySelectorAll("svg title")) title.textContent = localized(title.textContent);
  for (const named of root.querySelectorAll("svg [aria-label]")) {
    named.setAttribute("aria-label", localized(named.getAttribute("aria-label")));
  }
}

export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) {
    bytes /= 1000;
    at++;
  }
  return `${bytes >= 100 || at === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

export function duration(seconds) {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
