// Files and frames -> pixels: the same bytes that the project's own reader gives for a PNG, upright, without alpha.

const AS_STORED = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

/** A file -> its opaque, upright `ImageBitmap`, at its own size. Throws `Error` with words for people. */
export async function decoded(file) {
  if (!file.size) throw new Error("is empty");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { ...AS_STORED, imageOrientation: "from-image" });
  } catch {
    throw new Error("is no picture that this browser can decode; save it as PNG or JPEG");
  }
  if (await isJpeg(file)) return bitmap;
  const pixels = pixelsOf(bitmap, bitmap);
  if (!hasAlpha(pixels.data)) return bitmap;
  // A canvas keeps colours multiplied by alpha, so it has lost what lies behind; these have not.
  const whole = fromGraphics(bitmap) ?? (await fromDecoder(file, bitmap)) ?? pixels;
  bitmap.close();
  for (let alpha = 3; alpha < whole.data.length; alpha += 4) whole.data[alpha] = 255;
  return createImageBitmap(whole, AS_STORED);
}

/** The size that a picture is computed at. longest: of its sides, 0 for its own size */
export function fitted({ width, height }, longest) {
  const scale = longest ? Math.min(1, longest / Math.max(width, height)) : 1;
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

let canvas;

/** The `ImageData` of a picture at a size. */
export function pixelsOf(picture, { width, height }) {
  canvas ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (canvas.canvas.width !== width || canvas.canvas.height !== height) {
    Object.assign(canvas.canvas, { width, height }); // which clears it, too
  } else {
    canvas.clearRect(0, 0, width, height);
  }
  canvas.imageSmoothingQuality = "high";
  canvas.drawImage(picture, 0, 0, width, height);
  return canvas.getImageData(0, 0, width, height);
}

/** Free the memory that is kept for the next picture. */
export function release() {
  canvas = undefined;
}

async function isJpeg(file) {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return head[0] === 0xff && head[1] === 0xd8;
}

function hasAlpha(data) {
  for (let alpha = 3; alpha < data.length; alpha += 4) if (data[alpha] !== 255) return true;
  return false;
}

/** The colours as they are stored, through WebGL; undefined where there is none, or where it is too small. */
function fromGraphics(bitmap) {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
  const data = new Uint8ClampedArray(4 * width * height);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(data.buffer));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return new ImageData(data, width, height);
}

/** The same by the browser's decoder of frames, for machines without graphics; undefined where there is none. */
async function fromDecoder(file, { width, height }) {
  if (!self.ImageDecoder) return undefined;
  try {
    const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type, ...AS_STORED });
    const { image } = await decoder.decode();
    const data = new Uint8ClampedArray(4 * width * height);
    await image.copyTo(data); // asked for RGBA, Chromium 156 would multiply by alpha
    if (image.format === "BGRA") swapRedAndBlue(data);
    else if (image.format !== "RGBA") return undefined;
    return new ImageData(data, width, height);
  } catch {
    return undefined;
  }
}

function swapRedAndBlue(data) {
  for (let i = 0; i < data.length; i += 4) [data[i], data[i + 2]] = [data[i + 2], data[i]];
}
