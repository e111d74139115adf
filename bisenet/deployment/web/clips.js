// Clips and the camera: frames, as many a second as the network can do. Frames between are left out.

import { fitted, pixelsOf } from "./pixels.js";

const CLIP = /\.(mp4|m4v|mov|webm|mkv|avi|ogv)$/i;
const CAMERA_FAULTS = {
  NotAllowedError: "the browser was not allowed to use it",
  NotFoundError: "there is none",
  NotReadableError: "another program uses it",
};

export const isClip = (file) => file.type.startsWith("video/") || CLIP.test(file.name);

/** `ImageBitmap` of a clip's first frame. Throws `Error` with words for people. */
export async function firstFrame(file) {
  const video = await opened(file);
  try {
    return await createImageBitmap(video);
  } finally {
    closed(video);
  }
}

export class Clips {
  /** elements: clip, play, seek, place, the controls of a clip
   *
   * show(bitmap, result, { file, seconds }): a frame, which is the callee's to close; no file: of the camera
   * fault(words): nothing more will come
   */
  constructor(elements, network, longest, show, fault) {
    Object.assign(this, elements, { network, longest, show, fault });
    this.play.onclick = () => (this.video.paused ? this.video.play() : this.video.pause());
    this.seek.oninput = () => (this.video.currentTime = this.seek.value * this.video.duration);
  }

  async openClip(file) {
    this.stop();
    this.file = file;
    try {
      if (!(await this.#open(() => file))) return;
    } catch (error) {
      return this.fault(`${file.name}: ${error.message}`);
    }
    const { video } = this;
    this.clip.hidden = false;
    video.onplay = video.onpause = video.ontimeupdate = () => this.#tell(video);
    video.onseeked = () => this.again();
    this.#run(video);
  }

  async openCamera() {
    this.stop();
    if (!navigator.mediaDevices) return this.fault("The camera needs https, or the page from localhost.");
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    try {
      if (!(await this.#open(() => navigator.mediaDevices.getUserMedia({ video, audio: false })))) return;
      await this.video.play();
    } catch (error) {
      return this.fault(`The camera cannot be used: ${CAMERA_FAULTS[error.name] ?? error.message}.`);
    }
    this.video.srcObject.getTracks()[0].onended = () => this.fault("The camera has gone.");
    this.#run(this.video);
  }

  stop() {
    const { video } = this;
    this.attempt = this.video = this.file = undefined;
    this.clip.hidden = true;
    if (video) closed(video);
    this.again();
  }

  /** Compute the frame that is shown once more; set where one waits for the next. */
  again() {}

  /** Whether `video` is that of a source now, and nobody wanted another meanwhile. */
  async #open(source) {
    const attempt = (this.attempt = {});
    const video = await opened(await source());
    if (this.attempt !== attempt) closed(video);
    else this.video = video;
    return this.attempt === attempt;
  }

  async #run(video) {
    while (this.video === video) {
      let bitmap;
      try {
        const seconds = video.currentTime;
        bitmap = await createImageBitmap(video);
        const size = fitted(bitmap, this.longest());
        const { labels, ms } = await this.network.segment(pixelsOf(bitmap, size));
        if (this.video !== video) return bitmap.close();
        this.show(bitmap, { labels, ms, ...size }, { file: this.file, seconds });
      } catch (error) {
        bitmap?.close();
        if (this.video === video) this.fault(`A frame ${error.message}`);
        return;
      }
      this.#tell(video);
      await this.#another(video);
    }
  }

  /** Wait for a frame that was not seen yet. Hidden pages get none, and so rest. */
  #another(video) {
    return new Promise((resolve) => {
      this.again = resolve;
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
  }

  #tell({ currentTime, duration, paused }) {
    const known = Number.isFinite(duration); // else of a recording whose end the browser cannot find
    this.play.textContent = paused ? "Play" : "Pause";
    this.seek.disabled = !known;
    this.seek.value = known ? currentTime / duration || 0 : 0;
    this.place.textContent = clock(currentTime) + (known ? ` of ${clock(duration)}` : "");
  }
}

/** A `<video>` of a file or stream that has its first frame. */
async function opened(source) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
  if (source instanceof Blob) video.src = URL.createObjectURL(source);
  else video.srcObject = source;
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error("is no clip that this browser can play; save it as MP4 (H.264) or WebM"));
  }).catch((error) => {
    closed(video);
    throw error;
  });
  if (source instanceof Blob && !Number.isFinite(video.duration)) await findLength(video);
  return video;
}

/** What was written as a stream, as older browsers record, does not say how long it is until somebody goes to its end. */
async function findLength(video) {
  for (const seconds of [Number.MAX_SAFE_INTEGER, 0]) {
    await new Promise((resolve) => {
      video.onseeked = video.onerror = resolve;
      video.currentTime = seconds;
    });
  }
  video.onseeked = video.onerror = null;
}

/** Free what a `<video>` holds: the file, or the camera. */
function closed(video) {
  video.pause();
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
  video.load();
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
