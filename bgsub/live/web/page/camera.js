// One camera: its zones drawn over the live picture, the mask beside, and how easily something is an event.

import { ask, element, get } from "/page/api.js";
import { MotionGraph } from "/page/graph.js";
import { awayLine, healthLine, select, tellState, VIEWS } from "/page/live.js";
import { ZoneEditor } from "/page/zones.js";

export async function showCamera(main, page, name) {
  const [camera, settings] = await Promise.all([get(`/api/cameras/${name}`), get(`/api/cameras/${name}/settings`)]);
  const mayChange = page.session.role === "owner";
  const shape = { width: camera.width || 640, height: camera.height || 360 };
  const left = new Screen(page, name, "picture", shape), right = new Screen(page, name, "mask", shape);
  const state = element("span", { class: "state" });
  const figures = element("p", { class: "soft figures" });
  const graph = new MotionGraph(name);
  const said = element("p", { role: "status", class: "soft" });
  const editor = new ZoneEditor(settings.zones, mayChange);
  left.frame.append(editor.svg, editor.names);
  const sensitivity = element("input", {
    type: "range", min: -2, max: 2, step: 0.25, value: Math.log2(settings.sensitivity), disabled: !mayChange,
    "aria-describedby": "sensitivity-said",
  });
  const shown = element("output", { id: "sensitivity-said" });
  const tellSensitivity = () => {
    const factor = 2 ** Number(sensitivity.value);
    const text = `${factor.toFixed(2)}: finds things of ${Math.round(100 / factor)} % of the usual least area`;
    shown.textContent = text;
    sensitivity.setAttribute("aria-valuetext", text);
  };
  sensitivity.addEventListener("input", tellSensitivity);
  tellSensitivity();
  const shortest = element("input", { type: "number", min: 0, max: 600, step: 0.1, value: settings.min_length, disabled: !mayChange });
  let revision = settings.revision;
  const save = element("button", {
    type: "button", class: "main", hidden: !mayChange,
    click: async () => {
      save.disabled = true;
      said.className = "soft";
      said.textContent = "Saving …";
      try {
        const changed = await ask("PUT", `/api/cameras/${name}/settings`, {
          revision, zones: editor.values(), sensitivity: 2 ** Number(sensitivity.value), min_length: Number(shortest.value),
        });
        revision = changed.settings.revision;
        editor.reset(changed.settings.zones);
        saved = `${sensitivity.value} ${shortest.value}`;
        said.textContent = changed.kept
          ? "Saved in the file of cameras; the camera begins again with it."
          : "It holds until the program ends: there is no file of cameras. Start with --config FILE to keep it.";
      } catch (error) {
        said.className = "wrong";
        said.textContent = error.message;
      }
      save.disabled = false;
    },
  }, "Save");
  main.replaceChildren(
    element("p", {}, element("a", { href: "#/live" }, "‹ Live")),
    element("h2", {}, name, " ", state),
    figures,
    element("div", { class: "pair" }, left.root, right.root),
    graph.root,
    element("div", { class: "settings" },
      element("section", { "aria-label": "Zones" }, element("h3", {}, "Zones"), editor.root),
      element("section", { "aria-label": "What is an event" }, element("h3", {}, "What is an event"),
        element("label", {}, "Sensitivity", sensitivity), shown,
        element("label", {}, "At least, seconds", shortest),
        element("p", { class: "soft" }, "What is white in the mask moves. Save, and see beside what is found then."))),
    element("div", { class: "keeping" }, save, said),
  );
  if (!mayChange) said.textContent = "You may look, and change nothing.";
  const tell = (now) => {
    tellState(state, now);
    figures.textContent = now.state === "live" ? healthLine(now) : awayLine(now);
    figures.classList.toggle("wrong", now.state !== "live");
  };
  tell(camera);
  graph.load();
  const news = ({ detail }) => {
    const now = detail.cameras.find((one) => one.name === name);
    if (!now) return;
    tell(now);
    graph.add(now.moving);
  };
  page.socket.addEventListener("news", news);
  let saved = `${sensitivity.value} ${shortest.value}`;
  page.unsaved = () => mayChange && (editor.changed || saved !== `${sensitivity.value} ${shortest.value}`);
  const leaving = (event) => {
    if (page.unsaved && page.unsaved()) event.preventDefault();
  };
  addEventListener("beforeunload", leaving);
  return () => {
    page.socket.removeEventListener("news", news);
    removeEventListener("beforeunload", leaving);
    editor.end();
    left.end();
    right.end();
  };
}

// A live picture with a choice of what it shows.
class Screen {
  constructor(page, name, view, shape) {
    this.canvas = element("canvas", { role: "img", ...shape });
    this.frame = element("div", { class: "screen" }, this.canvas);
    this.end = () => {};
    const look = (chosen) => {
      this.end();
      this.canvas.setAttribute("aria-label", `Live: ${VIEWS[chosen].toLowerCase()}`);
      this.end = page.socket.show(name, chosen, this.canvas);
    };
    this.root = element("figure", {}, this.frame, element("figcaption", {}, select("View", view, look)));
    look(view);
  }
}
