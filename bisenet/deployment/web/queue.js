// The files that were given: computed one after the other, each with a thumbnail. Of those that wait, only the file is
// kept; of those that are done, the labels.

import { firstFrame, isClip } from "./clips.js";
import { decoded, fitted, pixelsOf, release } from "./pixels.js";

const KEPT = 256e6; // bytes of labels; beyond, the oldest are computed again when they are looked at
const THUMBNAIL = { width: 192, height: 144 };

export class Queue {
  /** elements: queue, thumbnails, count; network: a `Network`; longest(): of the sides that are computed
   *
   * selected(): a person wants to see another file
   * show(item, bitmap): the selected file, as far as it is known: when it is decoded, when it is done, when it failed
   */
  constructor(elements, network, longest, selected, show) {
    Object.assign(this, elements, { network, longest, selects: selected, show });
    this.items = [];
  }

  add(files) {
    const items = Array.from(files, (file) => this.#item(file));
    this.items.push(...items);
    this.#tell();
    if (items.length) this.select(items[0]);
  }

  clear() {
    for (const item of this.items) this.#forget(item);
    this.items = [];
    this.thumbnails.replaceChildren();
    this.selected = undefined;
    this.#tell();
  }

  /** Compute all of them anew, the selected one first. */
  restart() {
    for (const item of this.items) this.#forget(item);
    this.run();
  }

  async select(item) {
    this.selects();
    this.selected = item;
    for (const other of this.items) other.button.setAttribute("aria-current", String(other === item));
    if (item.state === "failed") this.show(item);
    if (item.state === "forgotten") this.#forget(item);
    if (item.state === "done") await this.#use(item, (bitmap) => this.#showIfSelected(item, bitmap));
    this.run();
  }

  deselect() {
    this.selected?.button.setAttribute("aria-current", "false");
    this.selected = undefined;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    try {
      for (let item = this.#next(); item; item = this.#next()) {
        this.#set(item, "computing", "computing …");
        await this.#use(item, (bitmap) => this.#compute(item, bitmap));
        this.#tell();
      }
    } finally {
      this.running = false;
      release();
      this.network.rest();
    }
  }

  /** Do something with the decoded file, whose memory is freed then; what fails is told as the file's fault. */
  async #use(item, work) {
    const { attempt } = item;
    let bitmap;
    try {
      bitmap = await (isClip(item.file) ? firstFrame(item.file) : decoded(item.file));
      await work(bitmap);
    } catch (error) {
      if (item.attempt !== attempt) return;
      item.fault = `${item.file.name}: ${error.message}`;
      this.#set(item, "failed", error.message);
      this.#showIfSelected(item);
    } finally {
      bitmap?.close();
    }
  }

  async #compute(item, bitmap) {
    const { attempt } = item;
    const size = fitted(bitmap, this.longest());
    item.size = { width: bitmap.width, height: bitmap.height };
    draw(item.thumbnail, bitmap);
    this.#showIfSelected(item, bitmap);
    const { labels, ms } = await this.network.segment(pixelsOf(bitmap, size));
    if (item.attempt !== attempt) return; // it was removed, or another size is wanted now
    item.result = { labels, ms, ...size };
    this.#set(item, "done", `${Math.round(ms)} ms`);
    this.#showIfSelected(item, bitmap);
    this.#limit();
  }

  #showIfSelected(item, bitmap) {
    if (item === this.selected) this.show(item, bitmap);
  }

  #next() {
    const waits = ({ state }) => state === "waiting";
    return this.selected && waits(this.selected) ? this.selected : this.items.find(waits);
  }

  #item(file) {
    const entry = this.thumbnails.appendChild(document.createElement("li"));
    const button = entry.appendChild(document.createElement("button"));
    const thumbnail = button.appendChild(document.createElement("canvas"));
    const name = button.appendChild(document.createElement("span"));
    const words = button.appendChild(document.createElement("span"));
    Object.assign(thumbnail, THUMBNAIL);
    thumbnail.setAttribute("aria-hidden", "true");
    name.textContent = button.title = file.name;
    words.className = "state";
    const item = { file, entry, button, thumbnail, words, attempt: 0 };
    button.type = "button";
    button.onclick = () => this.select(item);
    this.#set(item, "waiting", "waits");
    return item;
  }

  #set(item, state, words) {
    item.state = state;
    item.words.textContent = item.words.title = words;
    item.entry.classList.toggle("failed", state === "failed");
  }

  #forget(item) {
    item.attempt++;
    item.result = item.fault = undefined;
    this.#set(item, "waiting", "waits");
  }

  #limit() {
    const kept = this.items.filter(({ result }) => result);
    let bytes = kept.reduce((sum, { result }) => sum + result.labels.length, 0);
    for (const item of kept) {
      if (bytes <= KEPT) return;
      if (item === this.selected) continue;
      bytes -= item.result.labels.length;
      item.result = undefined;
      item.state = "forgotten";
    }
  }

  #tell() {
    const done = this.items.filter(({ state }) => state !== "waiting" && state !== "computing").length;
    const failed = this.items.filter(({ state }) => state === "failed").length;
    this.queue.hidden = !this.items.length;
    this.count.textContent = `${done} of ${this.items.length} done${failed ? `, ${failed} failed` : ""}`;
  }
}

/** The picture, cut to fill the thumbnail. */
function draw(canvas, bitmap) {
  const scale = Math.max(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [width, height] = [canvas.width / scale, canvas.height / scale];
  const [left, top] = [(bitmap.width - width) / 2, (bitmap.height - height) / 2];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height);
}
