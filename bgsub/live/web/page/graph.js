// How much moved in the last ten minutes, second by second: as on timelines, by the root of the share that moves.

import { element, get, svgElement } from "/page/api.js";

const SECONDS = 600, HEIGHT = 32;

export class MotionGraph {
  constructor(camera) {
    this.camera = camera;
    this.shares = [];
    this.area = svgElement("polygon", { class: "graph" });
    this.svg = svgElement("svg", {
      viewBox: `0 0 ${SECONDS} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "motion",
    });
    this.svg.append(this.area);
    this.root = element("div", { class: "motion-box" }, this.svg);
    this.draw();
  }

  async load() {
    try {
      const { shares } = await get(`/api/cameras/${this.camera}/motion`);
      this.shares = shares;
      this.draw();
    } catch {
      // it fills by itself
    }
  }

  add(share) {
    this.shares.push(share);
    if (this.shares.length > SECONDS) this.shares.shift();
    this.draw();
  }

  draw() {
    const most = Math.max(0.01, ...this.shares);
    const first = SECONDS - this.shares.length;
    const points = this.shares.map((share, n) => `${first + n},${(HEIGHT - (HEIGHT - 2) * Math.sqrt(share / most)).toFixed(1)}`);
    this.area.setAttribute("points", points.length ? `${first},${HEIGHT} ${points.join(" ")} ${SECONDS},${HEIGHT}` : "");
    const now = this.shares.at(-1) || 0;
    this.svg.setAttribute("aria-label", `Motion in the last ten minutes; now ${(100 * now).toFixed(1)} % of the picture`);
  }
}
