// One event: played, with seeking; what this browser cannot play is said, and offered as a file.

import { duration, element, get, query, size, written } from "/page/api.js";

const CANNOT = "This browser cannot play this recording: it may be H.265, which not every browser knows. Keep the file, and play it with VLC or mpv.";

export async function showEvent(main, page, camera, stamp) {
  const address = `/api/events/${camera}/${stamp}`;
  const record = await get(address);
  const segments = record.clip ? [] : record.segments.map((path) => path.split("/").at(-1).replace(/\.segment\.mp4$/, ""));
  const said = element("p", { class: "wrong", role: "alert", hidden: true });
  const video = element("video", {
    controls: true, autoplay: true, playsinline: true, preload: "metadata", "aria-label": `Recording of ${camera}`,
    poster: record.thumbnail ? `${address}/thumbnail` : null,
  });
  video.muted = true; // else browsers do not begin by themselves
  const sources = record.clip ? [`${address}/clip`] : segments.map((one) => `/api/segments/${camera}/${one}/file`);
  const cannot = () => {
    said.hidden = false;
    said.textContent = CANNOT;
  };
  video.addEventListener("error", cannot);
  video.addEventListener("loadedmetadata", () => {
    if (!video.videoWidth) cannot(); // it plays the sound alone
  });
  const away = play(video, sources, record, segments);
  const kept = sources.map((source, n) =>
    element("a", { href: `${source}?download=1`, download: true, class: "button" }, sources.length > 1 ? `Keep part ${n + 1}` : "Keep the file"));
  main.replaceChildren(
    element("p", {}, element("a", { href: "#/events" }, "‹ Events")),
    element("h2", {}, `${record.kind === "motion" ? "Motion" : record.kind} at ${camera}`),
    element("div", { class: "player" },
      sources.length ? video : record.thumbnail ? element("img", { src: `${address}/thumbnail`, alt: "Peak of the event" }) : "",
      element("div", {}, said, facts(record), element("p", { class: "buttons" }, ...kept))),
  );
  (main.querySelector("video") || main.querySelector("a")).focus({ preventScroll: true }); // the space bar plays
  return () => {
    away();
    video.removeEventListener("error", cannot);
    video.removeAttribute("src");
    video.load(); // lets go of the connection
  };
}

// All that was recorded from a moment on, of a camera that is recorded continuously.
export async function showMoment(main, page, camera, moment) {
  const start = new Date(moment);
  const { segments } = await get(`/api/segments${query({ camera, start: start.toISOString(), end: new Date(+start + 1800000).toISOString() })}`);
  if (!segments.length) throw new Error("Nothing was recorded then, or it has been removed.");
  const stamps = segments.map((one) => one.path.split("/").at(-1).replace(/\.segment\.mp4$/, ""));
  const sources = stamps.map((one) => `/api/segments/${camera}/${one}/file`);
  const video = element("video", { controls: true, autoplay: true, playsinline: true, "aria-label": `Recording of ${camera}` });
  video.muted = true;
  const said = element("p", { class: "wrong", role: "alert", hidden: true }, CANNOT);
  video.addEventListener("error", () => (said.hidden = false));
  const away = play(video, sources, { start: +start + 3000 }, stamps);
  main.replaceChildren(
    element("p", {}, element("a", { href: "#/events" }, "‹ Events")),
    element("h2", {}, `${camera}, from ${written(start.toISOString())}`),
    video, said,
    element("p", { class: "buttons" }, element("a", { href: `${sources[0]}?download=1`, download: true, class: "button" }, "Keep the file")),
  );
  video.focus({ preventScroll: true });
  return () => {
    away();
    video.removeAttribute("src");
    video.load();
  };
}

// Play files one after another, the first from where the event begins.
function play(video, sources, record, segments) {
  if (!sources.length) return () => {};
  let at = 0;
  const follow = () => {
    if (++at < sources.length) video.src = sources[at];
  };
  const stamp = segments.length ? segments[0].replace(/T(\d\d)-(\d\d)-(\d\d)/, "T$1:$2:$3") : null;
  const before = stamp ? (new Date(record.start) - new Date(stamp)) / 1000 - 3 : 0;
  video.src = before > 0 ? `${sources[0]}#t=${before.toFixed(1)}` : sources[0];
  video.addEventListener("ended", follow);
  return () => video.removeEventListener("ended", follow);
}

function facts(record) {
  const length = record.end ? (new Date(record.end) - new Date(record.start)) / 1000 : null;
  const rows = [
    ["Began", written(record.start)],
    ["Length", length === null ? "it goes on" : duration(length)],
    ["Zones", record.zones.join(", ")],
    ["Crossings", Object.entries(record.crossings).map(([what, n]) => `${what} ${n}`).join(", ")],
    ["Objects", record.objects || ""],
    ["Moving at its peak", `${(100 * record.share).toFixed(1)} % of the picture`],
    ["Unusual", record.unusual === null ? "" : `more so than ${Math.round(100 * record.unusual)} %`],
    ["Camera away", record.gap ? `${duration(record.gap)} of it` : ""],
    ["Size", record.size ? size(record.size) : ""],
    ["Trouble", record.error || ""],
  ];
  const list = element("dl", { class: "facts" });
  for (const [name, text] of rows) if (text !== "") list.append(element("dt", {}, name), element("dd", {}, String(text)));
  return list;
}
