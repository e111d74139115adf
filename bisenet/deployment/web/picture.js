// The picture, with its classes over it, and what lies under the pointer.

import { colored, nearest } from "./classes.js";
import { fitted } from "./pixels.js";

const LONGEST = 2048; // pixels that are drawn of a picture's longest side: more is seen on no screen, and is much memory
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Picture {
  /** elements: frame, photograph, overlay, crosshair, readout; shown(): the `Set` of classes to draw */
  constructor(elements, classes, shown) {
    Object.assign(this, elements);
    this.classes = classes;
    this.shown = shown;
    this.frame.onpointermove = this.frame.onpointerdown = (event) => this.#pointAt(event);
    this.frame.onpointerleave = () => this.#read(undefined);
    this.frame.onkeydown = (event) => this.#step(event);
    this.frame.onblur = () => this.#read(undefined);
  }

  /** Draw an `ImageBitmap`, which may be closed then. result: { labels, width, height }, or undefined before it is there */
  show(bitmap, result) {
    const { width, height } = bitmap;
    this.size = { width, height };
    const drawn = fitted(bitmap, LONGEST);
    if (this.photograph.width !== drawn.width || this.photograph.height !== drawn.height) {
      Object.assign(this.photograph, drawn);
    }
    const context = this.photograph.getContext("2d", { alpha: false });
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, drawn.width, drawn.height);
    this.frame.style.setProperty("--ratio", width / height);
    this.frame.hidden = false;
    this.showResult(result);
  }

  showResult(result) {
    this.result = result;
    this.redraw();
    this.#read(this.place);
  }

  hide() {
    this.frame.hidden = true;
    this.#read(undefined);
    this.showResult(undefined);
    Object.assign(this.photograph, { width: 1, height: 1 });
  }

  /** Draw the classes anew. */
  redraw() {
    const { labels, width, height } = this.result ?? { width: 1, height: 1 };
    if (this.overlay.width !== width || this.overlay.height !== height) Object.assign(this.overlay, { width, height });
    const context = this.overlay.getContext("2d");
    if (labels) context.putImageData(colored(labels, width, height, this.classes, this.shown()), 0, 0);
    else context.clearRect(0, 0, width, height);
  }

  #pointAt(event) {
    const box = this.frame.getBoundingClientRect();
    const at = (part, length, pixels) => Math.min(pixels - 1, Math.max(0, Math.floor((part / length) * pixels)));
    this.#read({
      x: at(event.clientX - box.left, box.width, this.size.width),
      y: at(event.clientY - box.top, box.height, this.size.height),
    });
  }

  #step(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const { width, height } = this.size;
    const { x, y } = this.place ?? { x: width >> 1, y: height >> 1 };
    const length = event.shiftKey ? 10 : 1;
    const within = (value, pixels) => Math.min(pixels - 1, Math.max(0, value));
    const place = { x: within(x + step[0] * length, width), y: within(y + step[1] * length, height) };
    this.#read(place);
    this.crosshair.hidden = false;
    this.crosshair.style.left = `${(100 * (place.x + 0.5)) / width}%`;
    this.crosshair.style.top = `${(100 * (place.y + 0.5)) / height}%`;
  }

  /** Say what lies at a pixel of the picture. */
  #read(place) {
    this.place = place;
    this.crosshair.hidden = true;
    if (!place || !this.result) {
      this.readout.textContent = "\u00a0"; // keeps the line's height
      return;
    }
    const { labels, width, height } = this.result;
    const row = nearest(place.y, this.size.height, height);
    const label = labels[row * width + nearest(place.x, this.size.width, width)];
    const { names, ids } = this.classes;
    this.readout.textContent = `${names[label]} · id ${ids[label]} · x ${place.x}, y ${place.y}`;
  }
}
