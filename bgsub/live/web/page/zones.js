// Zones over a picture: corners set with the mouse or the arrow keys, or written as numbers; shares of width and height.

import { element, svgElement } from "/page/api.js";

export const KINDS = { watch: "watch here", ignore: "ignore this", line: "count crossings", privacy: "black out (privacy)" };
const UNIT = 1000; // of the picture's width and height in the drawing
const NEAR = 0.025; // of the picture: a corner is taken hold of from so far
const STEP = 0.01, COARSE = 0.05;

const clamp = (value) => Math.min(1, Math.max(0, value));
const round = (value) => Math.round(value * 10000) / 10000;

export class ZoneEditor {
  constructor(zones, mayChange) {
    this.mayChange = mayChange;
    this.svg = svgElement("svg", {
      viewBox: `0 0 ${UNIT} ${UNIT}`, preserveAspectRatio: "none", class: "zones", role: "application",
      "aria-label": "Zones. While one is drawn: arrow keys move the cross, Enter sets a corner, Backspace takes one back, Escape ends.",
    });
    if (mayChange) this.svg.setAttribute("tabindex", "0");
    this.names = element("div", { "aria-hidden": "true" }); // the list says them
    this.list = element("ul", { class: "zone-list" });
    this.hint = element("p", { class: "soft", role: "status" });
    const add = element("button", { type: "button", click: () => this.begin() }, "Draw a zone");
    this.root = element("div", {}, this.list, mayChange ? add : "", this.hint);
    this.listeners = new AbortController();
    if (mayChange) this.listen();
    this.reset(zones);
  }

  // Begin again with the zones that are kept.
  reset(zones) {
    this.zones = zones.map((zone) => ({ ...zone, polygon: zone.polygon.map(([x, y]) => [x, y]) }));
    this.drawn = null; // corners of one that is being drawn
    this.cross = [0.5, 0.5];
    this.changed = false;
    this.listAll();
    this.paint();
    this.hint.textContent = this.zones.length || !this.mayChange ? "" : "Without zones the whole picture is watched.";
  }

  values() {
    return this.zones.map((zone) => ({ ...zone, polygon: zone.polygon.map(([x, y]) => [round(x), round(y)]) }));
  }

  end() {
    this.listeners.abort();
  }

  begin() {
    this.drawn = [];
    this.hint.textContent = "Click corners on the picture; a double click or Enter twice on the last one ends. Arrow keys and Enter do as well.";
    this.svg.focus();
    this.paint();
  }

  // --------------------------------------------------------------------------------------------------- mouse and keys

  listen() {
    const on = (name, listener) => this.svg.addEventListener(name, listener, { signal: this.listeners.signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", () => (this.held = null));
    on("dblclick", () => this.finish());
    on("keydown", (event) => this.key(event));
    const hold = (event) => {
      if (event.touches.length === 1 && this.cornerNear(this.place(event.touches[0]))) event.preventDefault();
    };
    this.svg.addEventListener("touchstart", hold, { signal: this.listeners.signal, passive: false }); // else it scrolls
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  press(event) {
    const at = this.place(event);
    if (this.drawn) {
      this.corner(at);
      return;
    }
    this.held = this.cornerNear(at);
    if (this.held) {
      this.svg.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  }

  move(event) {
    if (this.drawn) {
      this.cross = this.place(event);
      this.paint();
    } else if (this.held) {
      const { zone, corner } = this.held;
      zone.polygon[corner] = this.place(event);
      this.touched(zone);
    }
  }

  cornerNear([x, y]) {
    for (const zone of this.zones) {
      const corner = zone.polygon.findIndex(([a, b]) => Math.hypot(a - x, b - y) < NEAR);
      if (corner >= 0) return { zone, corner };
    }
    return null;
  }

  key(event) {
    if (!this.drawn) return;
    const step = event.shiftKey ? COARSE : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in moves) {
      this.cross = this.cross.map((value, axis) => clamp(value + moves[event.key][axis]));
      this.hint.textContent = `Cross at ${this.cross.map((value) => Math.round(100 * value)).join(", ")} % of width and height`;
    } else if (event.key === "Enter" || event.key === " ") this.corner([...this.cross]);
    else if (event.key === "Backspace") this.drawn.pop();
    else if (event.key === "Escape") this.stop("");
    else return;
    event.preventDefault();
    this.paint();
  }

  corner(at) {
    const last = this.drawn.at(-1);
    if (last && Math.hypot(last[0] - at[0], last[1] - at[1]) < 0.004) this.finish();
    else this.drawn.push(at);
    this.paint();
  }

  finish() {
    if (!this.drawn) return;
    if (this.drawn.length < 3) {
      this.hint.textContent = "A zone has three corners at least; two do for a line: draw it as a narrow zone and choose its kind.";
      if (this.drawn.length < 2) return;
    }
    const kind = this.drawn.length === 2 ? "line" : "watch";
    let number = this.zones.length + 1;
    while (this.zones.some((zone) => zone.name === `zone ${number}`)) number++;
    const zone = { name: `zone ${number}`, polygon: this.drawn, kind, loiter: 0 };
    this.zones.push(zone);
    this.changed = true;
    this.stop(`${zone.name} is drawn: name it below, and save.`);
    this.listAll();
    this.paint();
    this.list.querySelector("li:last-child input").select();
  }

  stop(text) {
    this.drawn = null;
    this.hint.textContent = text;
  }

  touched(zone) {
    this.changed = true;
    zone.numbers.value = written(zone.polygon);
    this.paint();
  }

  // ------------------------------------------------------------------------------------------------------------- shown

  paint() {
    this.svg.replaceChildren();
    for (const zone of this.zones) {
      const open = zone.kind === "line";
      this.svg.append(shape(zone.polygon, `zone ${zone.kind}`, !open));
      if (this.mayChange) this.svg.append(dots(zone.polygon));
    }
    this.names.replaceChildren(...this.zones.map(nameTag));
    if (this.drawn) {
      this.svg.append(shape([...this.drawn, this.cross], "zone drawn", false), dots(this.drawn));
      const [x, y] = this.cross.map((value) => value * UNIT);
      this.svg.append(svgElement("path", { class: "cross", d: `M${x - 20} ${y}H${x + 20}M${x} ${y - 30}V${y + 30}` }));
    }
    this.svg.classList.toggle("drawing", Boolean(this.drawn));
  }

  listAll() {
    this.list.replaceChildren(...this.zones.map((zone) => this.item(zone)));
  }

  item(zone) {
    const off = !this.mayChange;
    const change = (listener) => (event) => {
      listener(event.target);
      this.changed = true;
      this.paint();
    };
    const name = element("input", { value: zone.name, maxlength: 64, disabled: off, input: change((field) => (zone.name = field.value)) });
    const kind = element("select", { disabled: off, change: change((field) => {
      zone.kind = field.value;
      if (zone.kind !== "watch") zone.loiter = 0;
      loiter.disabled = off || zone.kind !== "watch";
      swatch.className = `swatch ${zone.kind}`;
    }) });
    for (const [value, text] of Object.entries(KINDS)) kind.append(element("option", { value }, text));
    kind.value = zone.kind;
    const loiter = element("input", {
      type: "number", min: 0, step: 1, value: zone.loiter, disabled: off || zone.kind !== "watch",
      input: change((field) => (zone.loiter = Math.max(0, Number(field.value) || 0))),
    });
    const numbers = element("textarea", { rows: 2, disabled: off, spellcheck: "false", change: (event) => {
      const polygon = read(event.target.value);
      event.target.setCustomValidity(polygon ? "" : "Write corners as x, y in per cent: 10, 20; 50, 20; 50, 90");
      event.target.reportValidity();
      if (polygon) change(() => (zone.polygon = polygon))(event);
    } });
    numbers.value = written(zone.polygon);
    Object.defineProperty(zone, "numbers", { value: numbers, enumerable: false, configurable: true });
    const swatch = element("span", { class: `swatch ${zone.kind}`, "aria-hidden": "true" });
    return element("li", {},
      element("div", { class: "zone-row" }, swatch, element("label", {}, "Name", name), element("label", {}, "Kind", kind),
        element("label", {}, "Loiter, s", loiter)),
      element("label", {}, "Corners, % of width and height", numbers),
      off ? "" : element("button", { type: "button", click: () => {
        this.zones.splice(this.zones.indexOf(zone), 1);
        this.changed = true;
        this.listAll();
        this.paint();
        this.hint.textContent = `${zone.name} is removed: save to keep it so.`;
      } }, `Remove ${zone.name}`));
  }
}

function shape(polygon, kind, closed) {
  const points = polygon.map(([x, y]) => `${(x * UNIT).toFixed(1)},${(y * UNIT).toFixed(1)}`).join(" ");
  return svgElement(closed ? "polygon" : "polyline", { class: kind, points });
}

// The name of a zone at its uppermost corner; drawn beside the shapes, which are stretched with the picture.
function nameTag(zone) {
  const [x, y] = zone.polygon.reduce((top, one) => (one[1] < top[1] ? one : top));
  const tag = element("span", { class: "zone-name" }, zone.name);
  tag.style.left = `${Math.min(100 * x, 85)}%`;
  tag.style.top = `${Math.min(100 * y, 90)}%`;
  return tag;
}

function dots(polygon) {
  const d = polygon.map(([x, y]) => `M${(x * UNIT).toFixed(1)} ${(y * UNIT).toFixed(1)}h0`).join("");
  return svgElement("path", { class: "corners", d });
}

const written = (polygon) => polygon.map(([x, y]) => `${+(100 * x).toFixed(2)}, ${+(100 * y).toFixed(2)}`).join("; ");

// Corners out of a text, or null where it has none.
function read(text) {
  const corners = text.split(";").map((one) => one.split(",").map((number) => Number(number.trim()) / 100));
  const good = corners.every((one) => one.length === 2 && one.every((value) => value >= 0 && value <= 1));
  return good && corners.length >= 2 ? corners : null;
}
