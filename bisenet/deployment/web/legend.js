// The list of classes: colour, name, share, and whether each is shown.

import { counted } from "./classes.js";

const FEW = 24; // more classes than these are listed only where the picture has them

export class Legend {
  /** changed() is called when a person shows or hides a class. */
  constructor(list, all, none, classes, changed) {
    this.classes = classes;
    this.shown = new Set(classes.names.keys());
    this.rows = classes.names.map((name, place) => this.#row(name, place, changed));
    list.replaceChildren(...this.rows.map(({ item }) => item));
    all.onclick = () => this.#setAll(true, changed);
    none.onclick = () => this.#setAll(false, changed);
  }

  /** The shares of labels; undefined: of nothing */
  show(labels) {
    const counts = labels && counted(labels, this.classes);
    this.rows.forEach(({ item, share, label }, place) => {
      const part = counts ? counts[place] / labels.length : 0;
      share.textContent = counts?.[place] ? percent(part) : "";
      label.style.setProperty("--share", `${100 * part}%`);
      label.classList.toggle("absent", Boolean(counts) && !counts[place]);
      item.hidden = Boolean(counts) && this.rows.length > FEW && !counts[place];
    });
  }

  #row(name, place, changed) {
    const item = document.createElement("li");
    const label = item.appendChild(document.createElement("label"));
    const box = label.appendChild(document.createElement("input"));
    label.appendChild(document.createElement("span")).className = "swatch";
    const words = label.appendChild(document.createElement("span"));
    const share = label.appendChild(document.createElement("span"));
    [words.className, share.className] = ["name", "share"];
    label.style.setProperty("--color", `rgb(${this.classes.colors[place].join(" ")})`);
    words.textContent = words.title = name;
    Object.assign(box, { type: "checkbox", checked: true });
    box.onchange = () => {
      this.#set(place, box.checked);
      changed();
    };
    return { item, box, share, label };
  }

  #set(place, shown) {
    if (shown) this.shown.add(place);
    else this.shown.delete(place);
  }

  #setAll(shown, changed) {
    this.rows.forEach(({ box }, place) => {
      box.checked = shown;
      this.#set(place, shown);
    });
    changed();
  }
}

function percent(share) {
  return share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}
