// PNG files of numbers: grey, 8 or 16 bits, just as they are. A canvas can write colours only.

/** Uint8Array or Uint16Array of values, row by row -> `Blob` */
export async function greyPng(values, width, height) {
  const bytes = values.BYTES_PER_ELEMENT;
  const rows = new Uint8Array(height * (1 + width * bytes)); // each begins with its filter, 0 for none
  const view = new DataView(rows.buffer);
  for (let y = 0, to = 0, from = 0; y < height; y++) {
    to++;
    for (let x = 0; x < width; x++, from++, to += bytes) {
      if (bytes === 1) rows[to] = values[from];
      else view.setUint16(to, values[from]);
    }
  }
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8 * bytes);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const parts = [signature, ...chunk("IHDR", new Uint8Array(head.buffer)), ...chunk("IDAT", await deflated(rows))];
  return new Blob([...parts, ...chunk("IEND", new Uint8Array())], { type: "image/png" });
}

async function deflated(data) {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** [length, name and data, checksum of these] */
function chunk(name, data) {
  const body = new Uint8Array(4 + data.length);
  body.set(new TextEncoder().encode(name));
  body.set(data, 4);
  return [bigEndian(data.length), body, bigEndian(crc32(body))];
}

function bigEndian(number) {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, number);
  return view;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data) {
  let sum = 0xffffffff;
  for (const byte of data) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 0xff];
  return ~sum >>> 0;
}
