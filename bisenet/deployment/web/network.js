// The page's side of worker.js: which device computes, and what happens when one fails.

const LARGE = 4e6; // pixels

/** Labels of pictures, one after the other.
 *
 * say({ words, progress }) is called with what people should know of it.
 */
export class Network {
  constructor(description, say) {
    this.input = description.input;
    this.channels = description.mean.length;
    this.say = say;
    this.refused = ""; // why not WebGPU
    this.last = Promise.resolve();
    this.largest = 0; // pixels of a picture that the worker has computed
  }

  /** RGBA bytes, width and height -> { labels, ms }. The bytes are gone then. Throws `Error` with words for people. */
  segment(image) {
    return this.#afterLast(() => this.#segment(image));
  }

  /** Load the network before it is needed. */
  open() {
    return this.#afterLast(() => this.worker ?? this.#start());
  }

  /** After large pictures: give the memory back, which WebAssembly never does by itself. The next one starts anew. */
  rest() {
    return this.#afterLast(() => this.largest > LARGE && this.#stop());
  }

  #afterLast(work) {
    const result = this.last.then(work);
    this.last = result.catch(() => {});
    return result;
  }

  #stop() {
    this.worker?.terminate();
    this.worker = undefined;
    this.largest = 0;
  }

  async #start() {
    this.device ??= (await hasWebGpu()) ? "webgpu" : "wasm";
    this.worker = new Worker("worker.js", { type: "module" });
    const { device, channels, input } = this;
    const answer = await this.#ask({ start: { device, channels, input, threads: threads() } });
    if (answer.ready) return this.say({ words: `${this.#where(answer.ready)}${this.refused}` });
    await this.#fallBack(answer.fault);
  }

  async #segment(image) {
    if (!this.worker) await this.#start();
    const { data, width, height } = image;
    this.largest = Math.max(this.largest, width * height);
    const { buffer } = this.device === "webgpu" ? data.slice() : data; // which may be needed again
    const answer = await this.#ask({ run: { data: buffer, width, height } }, [buffer]);
    if (answer.labels) return { labels: answer.labels, ms: answer.ms };
    if (this.device === "webgpu") {
      await this.#fallBack(
        answer.fault ?? `it gave other labels than WebAssembly, only ${(100 * answer.distrust).toFixed(1)} % are equal`,
      );
      return this.#segment(image);
    }
    this.#stop();
    throw new Error(
      `could not be computed at ${width} × ${height} (${answer.fault}). ` +
        "If memory was short, choose a smaller longest side.",
    );
  }

  async #fallBack(why) {
    this.#stop();
    if (this.device === "wasm") throw new Error(`The network cannot be opened: ${why}. Export it again.`);
    this.device = "wasm";
    this.refused = `, not WebGPU: ${why}`;
    await this.#start();
  }

  /** What the worker answers, { fault } where it died. */
  #ask(message, transferred) {
    return new Promise((resolve) => {
      this.worker.onerror = (event) => resolve({ fault: event.message || "the worker of the page cannot start" });
      this.worker.onmessage = ({ data }) => {
        if ("progress" in data) this.say({ progress: data.progress });
        else resolve(data);
      };
      this.worker.postMessage(message, transferred);
    });
  }

  #where({ threads }) {
    if (this.device === "webgpu") return "Computes on the graphics card (WebGPU)";
    return `Computes in WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  }
}

/** Of a real graphics card: one that is drawn by the processor is slower than WebAssembly.
 *
 * ?device=wasm or ?device=webgpu in the address decides it.
 */
async function hasWebGpu() {
  const asked = new URLSearchParams(location.search).get("device");
  if (asked) return asked === "webgpu";
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
  } catch {
    return false;
  }
}

/** All of few cores, half of many, of which most are no real ones. ?threads=1 in the address asks for another number. */
function threads() {
  if (!crossOriginIsolated) return 1;
  const asked = Number(new URLSearchParams(location.search).get("threads"));
  const cores = navigator.hardwareConcurrency || 1;
  return asked > 0 ? Math.min(Math.floor(asked), 64) : Math.min(8, Math.max(Math.min(cores, 4), cores >> 1));
}
