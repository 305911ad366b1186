// All cameras as they are now: pictures, motion of the last minutes, and how each is.

import { element, get, localized, size } from "/page/api.js";
import { MotionGraph } from "/page/graph.js";

export const VIEWS = { picture: "Picture", overlay: "What moves drawn in", mask: "What moves alone", background: "Background" };
const STATES = { live: "● live", starting: "… starting", connecting: "… connecting", lost: "▲ lost", broken: "▲ broken" };
const KEPT = "bgsub-views";

export async function showLive(main, page) {
  const chosen = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
  const { cameras, disk } = await get("/api/overview");
  page.cameras = cameras;
  const tiles = new Map(cameras.map((camera) => [camera.name, new Tile(camera, page, chosen)]));
  const all = select("View of all cameras", "", (view) => {
    for (const tile of tiles.values()) tile.look(view);
  });
  all.prepend(element("option", { value: "", disabled: true, selected: true }, "choose"));
  const room = element("p", { class: "soft figures room" });
  main.replaceChildren(
    element("div", { class: "bar-above" }, element("label", {}, "All show", all), room),
    cameras.length ? element("div", { class: "cameras" }, ...[...tiles.values()].map((tile) => tile.root))
      : element("p", {}, "No camera is watched: put one into the file of cameras."),
  );
  tellRoom(room, disk);
  const news = ({ detail }) => {
    if (detail.cameras.length !== tiles.size || detail.cameras.some((camera) => !tiles.has(camera.name))) {
      page.socket.removeEventListener("news", news);
      dispatchEvent(new Event("hashchange")); // there are others now
      return;
    }
    for (const camera of detail.cameras) tiles.get(camera.name).tell(camera, detail.at);
  };
  page.socket.addEventListener("news", news);
  const asking = setInterval(() => get("/api/overview").then((told) => tellRoom(room, told.disk), () => {}), 30000);
  return () => {
    clearInterval(asking);
    page.socket.removeEventListener("news", news);
    for (const tile of tiles.values()) tile.end();
  };
}

function tellRoom(room, disk) {
  room.textContent = disk
    ? `${size(disk.recordings)} recorded in ${disk.events} events, ${size(disk.free)} of ${size(disk.total)} free`
    : "the disk of the recordings is away";
}

export function select(label, value, chosen) {
  const made = element("select", { "aria-label": label, change: () => chosen(made.value) });
  for (const [view, text] of Object.entries(VIEWS)) made.append(element("option", { value: view }, text));
  made.value = value;
  return made;
}

class Tile {
  constructor(camera, page, chosen) {
    this.name = camera.name;
    this.page = page;
    this.chosen = chosen;
    this.canvas = element("canvas", { role: "img", width: camera.width || 640, height: camera.height || 360 });
    this.cover = element("p", { class: "cover", hidden: true });
    this.state = element("span", { class: "state" });
    this.figures = element("p", { class: "soft figures" });
    this.select = select(`View of ${camera.name}`, "", (view) => this.look(view));
    this.graph = new MotionGraph(camera.name);
    this.root = element(
      "article",
      { class: "camera", "data-camera": camera.name, "aria-label": camera.name },
      element("h2", {}, element("a", { href: `#/camera/${camera.name}` }, camera.name), this.state),
      element("div", { class: "screen" }, this.canvas, this.cover),
      this.graph.root,
      element("div", { class: "below" }, this.figures, this.select),
    );
    this.end = () => {};
    this.look(chosen[camera.name] || "picture");
    this.tell(camera);
    this.graph.load();
  }

  look(view) {
    this.end();
    this.select.value = view;
    this.canvas.setAttribute("aria-label", `Live: ${VIEWS[view].toLowerCase()}, camera ${this.name}`);
    this.end = this.page.socket.show(this.name, view, this.canvas);
    this.chosen[this.name] = view;
    sessionStorage.setItem(KEPT, JSON.stringify(this.chosen));
  }

  tell(camera, at) {
    tellState(this.state, camera);
    const away = camera.state !== "live";
    this.cover.hidden = !away;
    this.cover.textContent = away ? awayLine(camera) : "";
    this.root.classList.toggle("moves", Boolean(camera.event));
    this.figures.textContent = healthLine(camera);
    if (at) this.graph.add(camera.moving);
  }
}

export function tellState(state, camera) {
  const records = camera.event && camera.state === "live";
  state.textContent = records ? "● recording" : STATES[camera.state] || camera.state;
  state.className = `state ${records ? "records" : camera.state}`;
}

export function awayLine(camera) {
  const since = camera.since ? ` since ${localized(camera.since)}` : "";
  return `${camera.state}${since}${camera.why ? `: ${camera.why}` : ""}`;
}

export function healthLine(camera) {
  const words = [`${camera.frames_per_second.toFixed(1)} frames/s`];
  if (camera.dropped) words.push(`${camera.dropped} dropped`);
  if (camera.damaged) words.push(`${camera.damaged} damaged`);
  if (camera.reconnects) words.push(`${camera.reconnects} reconnects`);
  words.push(`delay ${(camera.delay * 1000).toFixed(0)} ms`);
  if (camera.last_event) words.push(`last event ${localized(camera.last_event)}`);
  if (camera.trouble) words.push(camera.trouble);
  return words.join(" · ");
}
