// What a person saves: the overlay as it is seen, or the dataset's own ids.

import { colored, idsAt } from "./classes.js";
import { greyPng } from "./png.js";

/** `Blob` of a PNG: the picture at its own size, with the shown classes over it. opacity: 0 to 1 */
export function overlayPng(bitmap, result, classes, shown, opacity) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { alpha: false });
  context.drawImage(bitmap, 0, 0);
  const cover = new OffscreenCanvas(result.width, result.height);
  const colors = colored(result.labels, result.width, result.height, classes, shown);
  cover.getContext("2d").putImageData(colors, 0, 0);
  context.imageSmoothingEnabled = false;
  context.globalAlpha = opacity;
  context.drawImage(cover, 0, 0, bitmap.width, bitmap.height);
  return canvas.convertToBlob({ type: "image/png" });
}

/** `Blob` of a grey PNG of ids at the picture's size: of 8 bits, or 16 where an id is above 255 */
export function idsPng(result, size, classes) {
  return greyPng(idsAt(result, size, classes), size.width, size.height);
}

/** Hand a file to the person. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it after the click
}
