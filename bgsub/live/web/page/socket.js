// The one WebSocket: pictures in bundles, news each second. It is opened again for ever; what is looked at is said anew.

const DELAYS = [500, 1000, 2000, 4000, 8000];
const NO_PASSWORD = 4401;

export class Socket extends EventTarget {
  constructor() {
    super();
    this.screens = new Map(); // of "camera view" the canvases that show it
    this.perSecond = 8;
    this.tries = 0;
    this.wanted = false;
    this.number = null;
    this.drawing = Promise.resolve(); // one bundle after the other: an older picture never follows a newer one
    this.onScreen = new Set(); // canvases that can be seen, or nearly so; of others nothing is asked for
    this.watcher = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) this.onScreen[isIntersecting ? "add" : "delete"](target);
      this.say();
    }, { rootMargin: "160px" });
    document.addEventListener("visibilitychange", () => this.say());
    addEventListener("resize", () => this.say());
  }

  open() {
    this.wanted = true;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.number = null;
      this.said = "";
      this.say();
      this.dispatchEvent(new Event("open"));
    };
    socket.onmessage = (message) => {
      if (typeof message.data === "string") this.hear(JSON.parse(message.data));
      else this.drawing = this.drawing.then(() => this.draw(socket, message.data)).catch(() => {});
    };
    socket.onclose = (closed) => {
      if (!this.wanted || this.socket !== socket) return;
      if (closed.code === NO_PASSWORD) {
        this.close();
        dispatchEvent(new Event("bgsub-password"));
        return;
      }
      this.dispatchEvent(new CustomEvent("lost", { detail: closed.reason }));
      this.again = setTimeout(() => this.open(), DELAYS[Math.min(this.tries++, DELAYS.length - 1)]);
    };
  }

  close() {
    this.wanted = false;
    clearTimeout(this.again);
    if (this.socket) this.socket.close();
  }

  // Show a view of a camera on a canvas from now on; returns what ends it.
  show(camera, view, canvas) {
    const key = `${camera} ${view}`;
    if (!this.screens.has(key)) this.screens.set(key, new Set());
    this.screens.get(key).add(canvas);
    this.watcher.observe(canvas);
    this.say();
    return () => {
      const canvases = this.screens.get(key);
      if (!canvases) return;
      canvases.delete(canvas);
      this.watcher.unobserve(canvas);
      this.onScreen.delete(canvas);
      if (!canvases.size) this.screens.delete(key);
      this.say();
    };
  }

  // Say what is looked at, if that has changed: nothing while nobody sees the page.
  say() {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return;
      const views = {};
      for (const [key, canvases] of document.hidden ? [] : this.screens) {
        const [camera, view] = key.split(" ");
        if ([...canvases].some((canvas) => this.onScreen.has(canvas))) (views[camera] ||= []).push(view);
      }
      const said = JSON.stringify({ type: "looking", views, per_second: this.perSecond, width: this.width() });
      if (said !== this.said) this.socket.send(said);
      this.said = said;
    }, 20);
  }

  // How wide pictures need be: as the widest canvas is on this screen, in steps, so that few sizes are asked for.
  width() {
    let most = 160;
    for (const canvases of this.screens.values()) {
      for (const canvas of canvases) most = Math.max(most, canvas.clientWidth * devicePixelRatio);
    }
    return Math.min(1280, 32 * Math.ceil(most / 32));
  }

  hear(news) {
    const missed = this.number !== null && news.number !== this.number + 1;
    this.number = news.number;
    this.dispatchEvent(new CustomEvent("news", { detail: { ...news, missed } }));
  }

  async draw(socket, data) {
    const length = new DataView(data).getUint32(0);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    let at = 4 + length;
    const drawing = head.pictures.map((picture) => {
      const jpeg = new Blob([new Uint8Array(data, at, picture.size)], { type: "image/jpeg" });
      at += picture.size;
      return this.drawOne(picture, jpeg);
    });
    await Promise.all(drawing);
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "drawn", number: head.number }));
  }

  async drawOne(picture, jpeg) {
    const canvases = this.screens.get(`${picture.camera} ${picture.view}`);
    if (!canvases) return;
    let image;
    try {
      image = await createImageBitmap(jpeg);
    } catch {
      return; // the next one will do
    }
    for (const canvas of canvases) {
      if (canvas.width !== image.width || canvas.height !== image.height) {
        canvas.width = image.width;
        canvas.height = image.height;
      }
      canvas.getContext("2d").drawImage(image, 0, 0);
      canvas.dataset.drawn = Number(canvas.dataset.drawn || 0) + 1;
      canvas.dataset.at = picture.at;
    }
    image.close();
  }
}
