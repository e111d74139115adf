// The page: what a person gives goes to the network, and what comes back is shown.

import { classesOf } from "./classes.js";
import { Clips, firstFrame, isClip } from "./clips.js";
import { isolated } from "./isolation.js";
import { Legend } from "./legend.js";
import { Network } from "./network.js";
import { Picture } from "./picture.js";
import { decoded } from "./pixels.js";
import { Queue } from "./queue.js";
import { download, idsPng, overlayPng } from "./saving.js";

const at = (id) => document.getElementById(id);
const elements = (ids) => Object.fromEntries(ids.map((id) => [id, at(id)]));
const longest = () => Number(at("longest").value);
const opacity = () => at("opacity").value / 100;

let classes, network, legend, picture, clips, queue;
let current; // { name, size, result, open() -> ImageBitmap } of what is shown
let frame; // the ImageBitmap of the clip or camera that is shown

at("status").textContent = "Loading the network …";
if (await isolated()) {
  try {
    await start();
  } catch (error) {
    tellFault(error.message);
  }
}

async function start() {
  const description = await describe();
  classes = classesOf(description);
  at("about").textContent = `${description.model}, ${classes.names.length} classes`;
  legend = new Legend(at("classes"), at("all"), at("none"), classes, () => picture.redraw());
  const parts = ["frame", "photograph", "overlay", "crosshair", "readout"];
  picture = new Picture(elements(parts), classes, () => legend.shown);
  network = new Network(description, tell);
  clips = new Clips(elements(["clip", "play", "seek", "place"]), network, longest, showFrame, stopClips);
  queue = new Queue(elements(["queue", "thumbnails", "count"]), network, longest, stopClips, showFile);
  listen();
  await network.open();
}

async function describe() {
  try {
    return await (await fetch("description.json", { cache: "no-cache" })).json();
  } catch {
    throw new Error("description.json is missing or damaged in the page's folder; export the network again.");
  }
}

// What a person does

function listen() {
  at("files").onchange = () => {
    queue.add(at("files").files);
    at("files").value = ""; // so that the same files can be chosen again
  };
  document.onpaste = (event) => queue.add(event.clipboardData.files);
  document.ondragover = (event) => drag(event, true);
  document.ondragleave = (event) => drag(event, Boolean(event.relatedTarget));
  document.ondrop = (event) => {
    drag(event, false);
    queue.add(event.dataTransfer.files);
  };
  at("camera").onclick = toggleCamera;
  at("clear").onclick = () => {
    stopClips();
    queue.clear();
    showNothing();
  };
  at("longest").onchange = () => {
    queue.restart();
    clips.again();
  };
  at("opacity").oninput = showOpacity;
  showOpacity(); // which the browser may have kept
  at("save-overlay").onclick = () =>
    save("overlay", (bitmap, { result }) => overlayPng(bitmap, result, classes, legend.shown, opacity()));
  at("save-ids").onclick = () => save("ids", (bitmap, { result, size }) => idsPng(result, size, classes));
}

function drag(event, over) {
  event.preventDefault();
  at("stage").classList.toggle("over", over);
}

async function toggleCamera() {
  const wasOpen = at("camera").getAttribute("aria-pressed") === "true";
  stopClips();
  if (wasOpen) return;
  queue.deselect();
  setCamera(true);
  await clips.openCamera();
}

function setCamera(open) {
  at("camera").setAttribute("aria-pressed", String(open));
  at("camera").textContent = open ? "Close camera" : "Open camera";
}

/** End what runs. What is seen of it stays. fault: why, in words */
function stopClips(fault) {
  clips.stop();
  setCamera(false);
  if (fault) tellFault(fault);
}

function showOpacity() {
  at("overlay").style.opacity = opacity();
  at("opacity-shown").textContent = `${at("opacity").value} %`;
}

async function save(kind, encode) {
  const saved = current;
  try {
    const bitmap = await saved.open();
    download(await encode(bitmap, saved), `${saved.name}_${kind}.png`);
    bitmap.close();
  } catch (error) {
    tellFault(`${saved.name} could not be saved: ${error.message}`);
  }
}

// What is shown

function showFile(item, bitmap) {
  const { file, size, result, fault } = item;
  if (fault) return showNothing(fault);
  if (clips.file === file) return; // it plays, from this first frame on
  const open = () => (isClip(file) ? firstFrame(file) : decoded(file));
  show({ name: stem(file), size, result, open }, bitmap);
  if (result && isClip(file)) clips.openClip(file);
}

/** The bitmap of a clip or of the camera is kept until the next comes. */
function showFrame(bitmap, result, { file, seconds }) {
  frame?.close();
  frame = bitmap;
  const name = `${file ? stem(file) : "camera"}_${seconds.toFixed(2)}s`;
  const size = { width: bitmap.width, height: bitmap.height };
  show({ name, size, result, open: () => createImageBitmap(bitmap) }, bitmap);
}

function show(shown, bitmap) {
  tellFault();
  at("empty").hidden = true;
  at("frame").setAttribute("aria-label", `${shown.name} and its classes`);
  picture.show(bitmap, shown.result);
  tellResult(shown);
}

function showNothing(fault) {
  picture.hide();
  at("empty").hidden = false;
  tellResult();
  tellFault(fault);
}

function tellResult(shown) {
  const { size, result } = shown ?? {};
  current = shown;
  at("time").textContent = result ? `${Math.round(result.ms)} ms` : "–";
  at("size").textContent = pixels(size);
  at("computed").textContent = pixels(result);
  at("save-overlay").disabled = at("save-ids").disabled = !result;
  legend.show(result?.labels);
}

/** What the `Network` says of itself. */
function tell({ words, progress }) {
  at("progress").hidden = Boolean(words);
  if (words) at("status").textContent = words;
  else if (progress === undefined) at("progress").removeAttribute("value");
  else at("progress").value = progress;
}

function tellFault(words) {
  at("fault").hidden = !words;
  at("fault").textContent = words ?? "";
}

const pixels = (size) => (size ? `${size.width} × ${size.height}` : "–");
const stem = (file) => file.name.replace(/\.[^.]*$/, "");
