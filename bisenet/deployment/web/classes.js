// What the network's description says of its classes, and what their labels become.

/** { names, colors, ids, ignored } of a description.json; a train id is a place in them.
 *
 * ids: the value that stands for a class in the dataset's own files
 */
export function classesOf(description) {
  const { classes } = description.classes;
  return {
    names: classes.map(({ name }) => String(name)),
    colors: classes.map(({ color }) => color[0].map(Number)),
    ids: classes.map(({ id }) => id.find(Number.isInteger)),
  };
}

/** How many pixels each class has. */
export function counted(labels, { names }) {
  const counts = new Array(names.length).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/** Labels -> `ImageData` in the classes' colours; classes that `shown` has not stay clear. */
export function colored(labels, width, height, { colors }, shown) {
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  colors.forEach((color, place) => {
    if (shown.has(place)) bytes.set([...color, 255], 4 * place);
  });
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < labels.length; i++) pixels[i] = table[labels[i]];
  return image;
}

/** Labels -> the dataset's own ids at another size, by the nearest label. */
export function idsAt({ labels, width, height }, size, { ids }) {
  const Values = Math.max(...ids) > 255 ? Uint16Array : Uint8Array;
  const table = Values.from(ids);
  const values = new Values(size.width * size.height);
  const columns = Array.from({ length: size.width }, (_, x) => nearest(x, size.width, width));
  for (let y = 0, to = 0; y < size.height; y++) {
    const row = nearest(y, size.height, height) * width;
    for (const column of columns) values[to++] = table[labels[row + column]];
  }
  return values;
}

/** The place in a row of `to` cells that a place in one of `from` cells lies over. */
export function nearest(place, from, to) {
  return Math.min(to - 1, Math.floor(((place + 0.5) * to) / from));
}
