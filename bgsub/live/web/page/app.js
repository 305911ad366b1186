// The page: who is there, which part of it is shown, and how the connection is.

import { ask, element, get, localized } from "/page/api.js";
import { Socket } from "/page/socket.js";
import { showLive } from "/page/live.js";
import { showEvents } from "/page/events.js";
import { showEvent, showMoment } from "/page/player.js";
import { showCamera } from "/page/camera.js";

const main = document.querySelector("#main");
const navigation = document.querySelector("header nav");
const connection = document.querySelector("#connection");
const wrong = document.querySelector("#wrong");
const page = { socket: new Socket(), session: null, cameras: [], unsaved: null };
const places = [
  [/^#\/event\/([\w-]+)\/(.+)$/, (camera, stamp) => showEvent(main, page, camera, decodeURIComponent(stamp)), "#/events", "Event"],
  [/^#\/moment\/([\w-]+)\/(.+)$/, (camera, at) => showMoment(main, page, camera, decodeURIComponent(at)), "#/events", "Recording"],
  [/^#\/events$/, () => showEvents(main, page), "#/events", "Events"],
  [/^#\/camera\/([\w-]+)$/, (camera) => showCamera(main, page, camera), "#/live", "Camera"],
  [/^(?:#\/live)?$/, () => showLive(main, page), "#/live", ""],
];
let leave = () => {}, shown = location.hash;

async function show() {
  const hash = location.hash.startsWith("#/") ? location.hash : "";
  if (location.hash && !hash) return; // the link to the content
  if (!page.session || !page.session.role) return;
  const [pattern, open, tab, title] = places.find(([one]) => one.test(hash)) || places.at(-1);
  if (page.unsaved && page.unsaved() && !confirm("What was changed here is not saved. Leave all the same?")) {
    history.replaceState(null, "", shown || "#/live");
    return;
  }
  shown = location.hash;
  page.unsaved = null;
  leave();
  leave = () => {};
  for (const link of navigation.children) {
    if (link.getAttribute("href") === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const mine = (show.newest = {});
  try {
    const words = (pattern.exec(hash) || []).slice(1);
    const ending = await open(...words);
    if (show.newest !== mine) {
      ending();
      return;
    }
    leave = ending;
    document.title = [words[0], title, "Cameras"].filter(Boolean).join(" · ");
    // What was pressed is gone: whoever uses keys, or hears the page, goes on in what is there now.
    if (page.opened && document.activeElement === document.body) main.focus({ preventScroll: true });
    page.opened = true;
  } catch (error) {
    main.replaceChildren(element("p", { class: "wrong", role: "alert" }, error.message));
  }
}

async function enter() {
  let session;
  try {
    session = await get("/api/session");
  } catch (error) {
    connection.textContent = error.message;
    setTimeout(enter, 2000);
    return;
  }
  if (page.session && page.session.version !== session.version) location.reload();
  const another = !page.session || page.session.role !== session.role;
  page.session = session;
  const inside = Boolean(session.role);
  navigation.hidden = !inside;
  document.querySelector("#leave").hidden = !(inside && session.needs_password);
  if (!inside) {
    askPassword();
    return;
  }
  if (!page.socket.wanted) page.socket.open();
  if (another) {
    page.cameras = (await get("/api/overview")).cameras;
    show();
  }
}

function askPassword() {
  page.unsaved = null;
  leave();
  leave = () => {};
  page.socket.close();
  wrong.hidden = true;
  connection.textContent = "";
  const said = element("p", { class: "wrong", role: "alert" });
  const field = element("input", { type: "password", autocomplete: "current-password", required: true });
  const form = element(
    "form",
    {
      class: "login",
      submit: async (event) => {
        event.preventDefault();
        try {
          await ask("POST", "/api/session", { password: field.value });
          page.session = null;
          enter();
        } catch (error) {
          said.textContent = error.message;
          field.select();
        }
      },
    },
    element("label", {}, "Password", field),
    element("button", { class: "main" }, "Log in"),
    said,
  );
  main.replaceChildren(element("h2", {}, "Who is there?"), form);
  field.focus();
}

function news({ detail }) {
  page.cameras = detail.cameras;
  const lines = Object.entries(detail.wrong).map(([what, text]) => `${what}: ${localized(text)}`);
  if (lines.join("\n") !== wrong.dataset.lines) {
    wrong.dataset.lines = lines.join("\n");
    wrong.replaceChildren(...lines.map((line) => element("li", {}, line)));
  }
  wrong.hidden = !lines.length;
  connection.textContent = lines.length ? "" : "all is well";
}

page.socket.addEventListener("news", news);
page.socket.addEventListener("open", () => {
  connection.textContent = "";
  if (page.lost) enter(); // it may be another program now, or want a password
  page.lost = false;
});
page.socket.addEventListener("lost", ({ detail }) => {
  page.lost = true;
  connection.textContent = detail || "The program does not answer; trying again …";
});
addEventListener("bgsub-password", () => {
  page.session = null;
  enter();
});
addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.querySelector("#leave").addEventListener("click", async () => {
  await ask("DELETE", "/api/session").catch(() => {});
  page.session = null;
  enter();
});
enter();
