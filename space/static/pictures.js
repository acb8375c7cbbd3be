// The gallery: one image, some systems, all their modes; original, sent and painted under a slider.

import { button, checkbox, choice, load, make, named, picker, popover } from "./dom.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

export const MODES = ["full", "image", "pixel", "text"];
const ORDERS = {
  name: "by name",
  worst: "worst first",
  best: "best first",
  apart: "largest disagreement first",
};
const MEASURES = ["consistency", "perception"];
const CONTENTS = ["NSI", "SCI", "AIGI"];

export async function open(box) {
  const systems = await load("data/gallery.json");
  const view = new Pictures(box, systems);
  return { update: () => view.draw() };
}

// A system's pictures, with their paths completed.
export async function readGallery(requestId) {
  const gallery = await load(`data/gallery/${requestId}.json`);
  const path = (name) => name && `data/gallery/${requestId}/${name}`;
  return gallery.pictures.map((picture) => ({
    ...picture,
    original: path(picture.original),
    sent: path(picture.sent),
    decoded: path(picture.decoded),
    error_map: path(picture.error_map),
  }));
}

// The measure that pictures are put in order by.
export function chosenMeasure() {
  return MEASURES.includes(state.get("by")) ? state.get("by") : MEASURES[0];
}

export function measurePicker(by, changes = {}) {
  const options = MEASURES.map((key) => ({ key, text: key }));
  return picker("by", options, by, (key) => state.set({ ...changes, by: key === MEASURES[0] ? null : key }));
}

export function systemTitle({ model, partner }) {
  return partner ? `${model} + ${partner}` : model;
}

class Pictures {
  constructor(box, systems) {
    Object.assign(this, { box, systems, turn: 0 });
  }

  async draw() {
    this.turn += 1;
    const { turn } = this;
    const heading = make("h2", "title", "The pictures");
    if (!this.systems.length) {
      redraw(
        this.box,
        heading,
        make("p", "empty", "No run has left pictures yet. Every run that a worker finishes does; published rows have none."),
      );
      return;
    }
    const { datasets, possible, chosen, lacks } = this.choose();
    const galleries = await Promise.all(chosen.map(({ request_id: id }) => readGallery(id)));
    if (turn !== this.turn) return;
    const all = galleries.flat();
    const order = state.get("order", "name") in ORDERS ? state.get("order", "name") : "name";
    const names = sortNames(all, order, chosenMeasure());
    const content = CONTENTS.find((one) => one === state.get("content")) ?? "";
    const shown = names.filter((name) => !content || name.startsWith(`${content}_`));
    const image = shown.includes(state.get("image")) ? state.get("image") : shown[0];
    const controls = this.controls(possible, chosen, shown, image, order, content);
    if (datasets.length > 1) {
      const options = datasets.map((key) => ({ key, text: key }));
      const choose = (key) => state.set({ dataset: key, systems: null, image: null });
      controls.prepend(picker("Images of", options, chosen[0].dataset, choose));
    }
    const rows = chosen.map((system, i) => this.systemRow(system, galleries[i], image));
    const one = all.find(({ name }) => name === image);
    const about = make("p", "about", one ? `${one.width} × ${one.height} pixels, ${one.content}` : "");
    redraw(this.box, heading, controls, ...lacks.map((text) => make("p", "about", text)), about, ...rows);
  }

  // The systems of one data set, those of them that are shown, and what of the asked is not there.
  choose() {
    const datasets = [...new Set(this.systems.map(({ dataset }) => dataset))];
    const asked = state.getList("systems");
    const home = this.systems.find(({ request_id: id }) => asked.includes(id))?.dataset;
    const dataset = [state.get("dataset"), home, datasets[0]].find((one) => datasets.includes(one));
    const possible = this.systems.filter((system) => system.dataset === dataset);
    let chosen = possible.filter(({ request_id: id }) => asked.includes(id));
    const gone = asked.filter((id) => !chosen.some(({ request_id: one }) => one === id));
    const others = chosen.length ? "" : " These are other systems'.";
    const lacks = gone.map((id) => `There are no pictures of ${id.slice(0, 40)} on these images.${others}`);
    if (!chosen.length) chosen = possible.filter(({ role }) => role !== "codec").slice(0, 2);
    if (!chosen.length) chosen = possible.slice(0, 2);
    return { datasets, possible, chosen, lacks };
  }

  controls(possible, chosen, names, image, order, content) {
    const box = make("div", "controls");
    const at = names.indexOf(image);
    const step = (by) => state.set({ image: names[(at + by + names.length) % names.length] });
    const contents = [["", "All"], ...CONTENTS.map((one) => [one, one])];
    const tools = make("div", "tools");
    tools.append(
      popover(`Systems · ${chosen.length}`, "systems", (panel) => {
        const ids = new Set(chosen.map(({ request_id: id }) => id));
        for (const system of possible) {
          panel.append(
            checkbox(systemTitle(system), ids.has(system.request_id), (on) => {
              if (on) ids.add(system.request_id);
              else ids.delete(system.request_id);
              state.set({ systems: [...ids] });
            }),
          );
        }
      }),
    );
    box.append(
      picker("Image", names.map((key) => ({ key, text: key })), image, (key) => state.set({ image: key })),
      button("tool", "‹", () => step(-1), "The image before"),
      button("tool", "›", () => step(1), "The next image"),
      choice("Content", contents.map(([key, text]) => ({ key, text })), content, (key) => state.set({ content: key, image: null })),
      picker("Order", Object.entries(ORDERS).map(([key, text]) => ({ key, text })), order, (key) => state.set({ order: key === "name" ? null : key, image: null })),
      measurePicker(chosenMeasure(), { image: null }),
      tools,
    );
    return box;
  }

  systemRow(system, gallery, image) {
    const row = make("section", "system-row");
    row.dataset.same = `${system.request_id} ${image}`;
    const title = make("h3");
    title.append(named("", systemTitle(system)));
    const cards = make("div", "cards");
    for (const mode of MODES) {
      const picture = gallery.find((one) => one.name === image && one.mode === mode);
      if (picture) cards.append(card(picture, system));
    }
    row.append(title, cards.hasChildNodes() ? cards : make("p", "empty", "It has no picture of this image."));
    return row;
  }
}

// Worst, best: by the mean over what is shown. Disagreement: between the shown systems and modes.
function sortNames(pictures, order, by) {
  const scores = new Map();
  for (const picture of pictures) {
    if (!scores.has(picture.name)) scores.set(picture.name, []);
    if (picture[by] !== null) scores.get(picture.name).push(picture[by]);
  }
  const names = [...scores.keys()].sort();
  if (order === "name") return names;
  const value = (name) => {
    const list = scores.get(name);
    if (!list.length) return Infinity;
    if (order === "apart") return Math.min(...list) - Math.max(...list);
    const mean = list.reduce((sum, score) => sum + score, 0) / list.length;
    return order === "worst" ? mean : -mean;
  };
  return names.sort((a, b) => value(a) - value(b));
}

const LAYERS = { sent: "Sent", original: "Original", error_map: "Error" };

function card(picture, system) {
  const node = make("figure", "card");
  const label = make("figcaption");
  const facts = [
    ["Consistency", number(picture.consistency)],
    ["Perception", number(picture.perception)],
    ["File", `${picture.bits.toLocaleString("en")} bits`],
    ...parts(picture),
    ["Rate", `${picture.bits_per_pixel.toFixed(4)} bpp`],
  ];
  const list = make("dl");
  for (const [name, value] of facts) list.append(make("dt", "", name), make("dd", "", value));
  label.append(make("strong", "", `${picture.mode} mode`), list);
  if (picture.caption) {
    const caption = make("p", "caption");
    caption.append(named("", picture.caption));
    label.append(caption);
  }
  node.dataset.mode = picture.mode;
  node.append(slider(picture, system), label);
  return node;
}

// What the file's bits are for.
function parts(picture) {
  const there = [["caption", picture.text_bits], ["pixels", picture.pixels_bits], ["picture", picture.image_bits]];
  const told = there.filter(([, bits]) => bits).map(([name, bits]) => `${name} ${bits.toLocaleString("en")}`);
  return told.length > 1 ? [["of these", told.join(", ")]] : [];
}

function number(value) {
  return value === null ? "not scored" : value.toFixed(4);
}

// The painted picture over another one, uncovered from the left as far as the slider stands.
export function slider(picture, system) {
  const box = make("div", "uncover");
  if (!picture.decoded) {
    box.append(make("p", "empty", `Nothing was painted: ${picture.status}`));
    return box;
  }
  const frame = make("div", "frame");
  frame.style.aspectRatio = `${picture.width} / ${picture.height}`;
  const under = img(picture.original, `${picture.name}, the original`);
  const over = img(picture.decoded, `${picture.name} as ${systemTitle(system)} painted it in ${picture.mode} mode`);
  over.className = "over";
  frame.append(under, over);
  const range = make("input");
  range.type = "range";
  range.value = "50";
  range.setAttribute("aria-label", "How much of the painted picture is covered by the other one");
  const place = () => frame.style.setProperty("--cut", `${range.value}%`);
  range.addEventListener("input", place);
  place();
  const layers = Object.entries(LAYERS).filter(([key]) => picture[key]);
  const pick = choice(
    "Beside the painted picture",
    layers.map(([key, text]) => ({ key, text, title: key === "error_map" ? `Brightest: ${picture.error_max.toFixed(0)} of 255 grey levels` : "" })),
    "original",
    (key) => {
      under.src = picture[key];
      under.alt = `${picture.name}, ${LAYERS[key].toLowerCase()}`;
      for (const one of pick.children) one.setAttribute("aria-pressed", String(one.dataset.key === key));
    },
  );
  box.append(frame, range, pick);
  return box;
}

function img(source, text) {
  const node = make("img");
  node.src = source;
  node.alt = text;
  node.loading = "lazy";
  node.decoding = "async";
  return node;
}
