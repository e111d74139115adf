// The network in ONNX Runtime, away from the page, which so stays alive while it computes.
//
// in:  { start: { device, threads, channels, input } }, then { run: { data, width, height } } of RGBA bytes
// out: { progress }, { ready }, { labels, ms }, { fault } with words, { distrust } where WebGPU gave other labels

const CHECKED = 256; // longest side of the part of the first picture that WebGPU is checked on
const EQUAL = 0.99; // least share of its labels that must be those of WebAssembly
const RUNTIMES = {
  wasm: ["ort.wasm.bundle.min.js", "ort-wasm-simd-threaded.wasm"],
  webgpu: ["ort.webgpu.bundle.min.js", "ort-wasm-simd-threaded.asyncify.wasm"],
};

let ort, network, session, chosen;
let trusted = false;

onmessage = async ({ data: { start, run } }) => {
  try {
    if (start) postMessage({ ready: await open(start) });
    else postMessage(...(await segment(run)));
  } catch (error) {
    postMessage({ fault: String(error?.message ?? error).split("\n")[0] });
  }
};

async function open(start) {
  chosen = start;
  const [script, binary] = RUNTIMES[chosen.device];
  const [wasm, model] = await fetchAll([`onnxruntime/${binary}`, "model.onnx"]);
  ort = await import(`./onnxruntime/${script}`);
  ort.env.wasm.numThreads = chosen.threads;
  ort.env.wasm.wasmBinary = wasm; // so that it matters to nobody what type a server says it is
  ort.env.logLevel = "error";
  network = new Uint8Array(model);
  session = await opened(chosen.device);
  if (chosen.device === "wasm") network = undefined;
  return { threads: ort.env.wasm.numThreads };
}

const opened = (device) => ort.InferenceSession.create(network, { executionProviders: [device] });

async function segment({ data, width, height }) {
  const image = { pixels: inputOf(new Uint8ClampedArray(data)), width, height };
  if (chosen.device === "webgpu" && !trusted) {
    const equal = await equalLabels(middle(image));
    if (equal < EQUAL) return [{ distrust: equal }];
    trusted = true;
    network = undefined;
  }
  const began = performance.now();
  const labels = await labelsOf(session, image);
  return [{ labels, ms: performance.now() - began }, [labels.buffer]];
}

async function labelsOf(session, { pixels, width, height }) {
  const tensor = new ort.Tensor(chosen.input, pixels, [1, height, width, chosen.channels]);
  const { labels } = await session.run({ image: tensor });
  const found = Uint8Array.from(await labels.getData());
  labels.dispose();
  tensor.dispose();
  return found;
}

/** The share of labels that WebGPU and WebAssembly, of the same runtime, agree on. */
async function equalLabels(image) {
  const reference = await opened("wasm");
  const expected = await labelsOf(reference, image);
  await reference.release();
  const found = await labelsOf(session, image);
  return found.reduce((count, label, place) => count + (label === expected[place]), 0) / found.length;
}

function middle({ pixels, width, height }) {
  const [w, h] = [Math.min(width, CHECKED), Math.min(height, CHECKED)];
  const [left, top] = [(width - w) >> 1, (height - h) >> 1];
  const part = new pixels.constructor(w * h * chosen.channels);
  for (let y = 0; y < h; y++) {
    const from = ((top + y) * width + left) * chosen.channels;
    part.set(pixels.subarray(from, from + w * chosen.channels), y * w * chosen.channels);
  }
  return { pixels: part, width: w, height: h };
}

/** RGBA bytes -> (H, W, C), RGB, or grey by the weights and the rounding of the training. */
function inputOf(rgba) {
  const count = rgba.length / 4;
  const pixels = new (chosen.input === "float32" ? Float32Array : Uint8Array)(count * chosen.channels);
  if (chosen.channels === 1) {
    for (let i = 0, from = 0; i < count; i++, from += 4) {
      pixels[i] = (rgba[from] * 9798 + rgba[from + 1] * 19235 + rgba[from + 2] * 3735 + 16384) >> 15;
    }
    return pixels;
  }
  for (let to = 0, from = 0; to < pixels.length; to += 3, from += 4) {
    pixels[to] = rgba[from];
    pixels[to + 1] = rgba[from + 1];
    pixels[to + 2] = rgba[from + 2];
  }
  return pixels;
}

/** The contents of files, while { progress }, 0 to 1, is told. */
async function fetchAll(names) {
  const responses = await Promise.all(names.map((name) => fetch(name, { cache: "no-cache" })));
  responses.forEach((response, place) => {
    if (!response.ok) throw new Error(`${names[place]} is missing in the page's folder (${response.status})`);
  });
  const total = responses.reduce((sum, response) => sum + Number(response.headers.get("Content-Length")), 0);
  let loaded = 0;
  return Promise.all(
    responses.map(async (response) => {
      const chunks = [];
      const reader = response.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        chunks.push(part.value);
        loaded += part.value.length;
        postMessage({ progress: total ? Math.min(1, loaded / total) : undefined });
      }
      return new Blob(chunks).arrayBuffer();
    }),
  );
}
