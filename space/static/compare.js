// Two systems on the same images: what is stored of their difference, and where they differ most.

import { load, make, named, picker } from "./dom.js";
import { downloadMenu } from "./download.js";
import { redraw } from "./keep.js";
import { chosenMeasure, measurePicker, MODES, readGallery, slider, systemTitle } from "./pictures.js";
import * as state from "./state.js";

const MOST = 12;

export async function open(box, site) {
  const systems = await load("data/gallery.json");
  const view = { box, site, systems, turn: 0 };
  return { update: () => draw(view) };
}

async function draw(view) {
  view.turn += 1;
  const { box, site, systems, turn } = view;
  const heading = make("h2", "title", "Is A better than B?");
  if (systems.length < 2) {
    redraw(box, heading, make("p", "empty", "Two finished runs are needed; there are fewer."));
    return;
  }
  const { a, b, fellows } = chosenPair(systems);
  const controls = make("div", "controls");
  controls.append(picker("A", options(systems), a.request_id, (key) => state.set({ a: key })));
  if (!b) {
    redraw(box, heading, controls, make("p", "empty", "Nothing else was run on the same images."));
    return;
  }
  controls.append(picker("B", options(fellows), b.request_id, (key) => state.set({ b: key })));
  // Should the pictures not come, another pair can be chosen.
  if (!box.hasChildNodes()) redraw(box, heading, controls);
  const [statistics, ...galleries] = await Promise.all([
    load(`data/comparisons/${a.request_id}.json`),
    ...[a, b].map(({ request_id: id }) => readGallery(id)),
  ]);
  if (turn !== view.turn) return;
  const doubts = [...replaced(systems, a, b), ...cautions([["A", a], ["B", b]])];
  const modes = MODES.filter((mode) => galleries.every((list) => list.some((one) => one.mode === mode)));
  if (!modes.length) {
    redraw(box, heading, controls, ...doubts, nothingInCommon(galleries));
    return;
  }
  const mode = modes.includes(state.get("mode")) ? state.get("mode") : modes[0];
  const by = chosenMeasure();
  const pairs = differences(...galleries, mode, by);
  const tools = make("div", "tools");
  tools.append(downloads(pairs, a, b, mode, by));
  controls.append(
    picker("Mode", modes.map((key) => ({ key, text: key })), mode, (key) => state.set({ mode: key })),
    measurePicker(by),
    tools,
  );
  redraw(box, heading, controls, ...doubts, ...storedLines(site, statistics, a, b), whereTheyDiffer(pairs, a, b, mode, by));
}

function options(systems) {
  return systems.map((one) => ({ key: one.request_id, text: systemTitle(one) }));
}

// What the address names, and all that was run on the same images as the first.
function chosenPair(systems) {
  const a = systems.find(({ request_id: id }) => id === state.get("a")) ?? systems[0];
  const fellows = systems.filter((one) => one !== a && one.dataset === a.dataset && one.protocol === a.protocol);
  const b = fellows.find(({ request_id: id }) => id === state.get("b"))
    ?? fellows.find(({ role }) => role === a.role) ?? fellows[0];
  return { a, b, fellows };
}

function nothingInCommon(galleries) {
  const [first, second] = galleries.map((list) => {
    const there = MODES.filter((mode) => list.some((one) => one.mode === mode));
    return there.join(", ") || "none";
  });
  return make("p", "empty", `They have no mode in common, so no picture of one can be set beside one of the other. Modes of A: ${first}. Modes of B: ${second}.`);
}

function downloads(pairs, a, b, mode, by) {
  const rows = () => ({
    keys: ["name", "content", "mode", "a", "b", "difference"],
    records: pairs.map(({ name, content, left, right, difference }) => ({
      name, content, mode, a: left[by], b: right[by], difference,
    })),
  });
  const files = [["A", a], ["B", b]].map(([letter, { request_id: id }]) => ({
    text: `${letter} as Parquet`, path: `data/gallery/${id}.parquet`,
  }));
  return downloadMenu("cmc-bench-compare", rows, files, "All modes and scores");
}

// Another pair than was asked for says so.
function replaced(systems, a, b) {
  return [["A", "a", a], ["B", "b", b]].flatMap(([letter, key, { request_id: id }]) => {
    const asked = state.get(key);
    if (!asked || asked === id) return [];
    const isThere = systems.some(({ request_id: one }) => one === asked);
    const why = isThere ? "was not run on the same images as A" : "has left no pictures here";
    return [make("p", "about", `${letter} should be ${asked.slice(0, 40)}, which ${why}: another stands in its place.`)];
  });
}

// What speaks against a score, before anything that rests on it.
function cautions(systems) {
  return systems.filter(([, system]) => system.cautions).map(([letter, system]) => {
    const line = make("p", "cautions");
    line.append(make("strong", "", `${letter}: `), system.cautions);
    return line;
  });
}

function differences(first, second, mode, by) {
  const others = new Map(second.filter((one) => one.mode === mode).map((one) => [one.name, one]));
  return first
    .filter((one) => one.mode === mode && others.has(one.name))
    .map((left) => ({ name: left.name, content: left.content, left, right: others.get(left.name) }))
    .filter(({ left, right }) => left[by] !== null && right[by] !== null)
    .map((pair) => ({ ...pair, difference: pair.left[by] - pair.right[by] }))
    .sort((x, y) => Math.abs(y.difference) - Math.abs(x.difference));
}

// What the boards' statistics say of the two, over all images and not only those with pictures.
function storedLines(site, statistics, a, b) {
  const ids = [a.request_id, b.request_id];
  const rows = [];
  const allFirst = [...statistics].sort((x, y) => (x.content === null ? 0 : 1) - (y.content === null ? 0 : 1));
  for (const board of allFirst) {
    const found = board.comparisons.find((one) => ids.includes(one.first) && ids.includes(one.second));
    if (!found) continue;
    const turned = found.first === b.request_id;
    const { difference, win_rate: wins, images, images_needed: needed } = found.result;
    const sign = turned ? -1 : 1;
    const ends = [difference.low, difference.high].map((end) => sign * end).sort((x, y) => x - y);
    const tab = site.tracks.find(({ key }) => key === board.track)?.tab ?? board.track;
    rows.push([
      `${tab}, ${board.content ?? "all"}`,
      signed(sign * difference.value),
      `${signed(ends[0])} to ${signed(ends[1])}`,
      `${(100 * (turned ? 1 - wins.value : wins.value)).toFixed(0)} %`,
      found.is_separable ? `yes, ${sign * difference.value > 0 ? "A" : "B"}` : "not proven",
      images.toLocaleString("en"),
      needed === null || found.is_separable ? "" : `about ${needed.toLocaleString("en")}`,
    ]);
  }
  if (!rows.length) {
    return [make("p", "note", "No statistics are stored for this pair on a common board; `cmc statistics board` makes them.")];
  }
  const titles = ["Overall of", "A − B", "95 % interval", "A wins", "Better?", "Images", "Images that would tell"];
  // Where everything is proven nothing more is needed.
  const shown = rows.some((row) => row.at(-1)) ? titles.length : titles.length - 1;
  const isText = (place) => titles[place] === "Better?";
  const table = plainTable(titles.slice(0, shown), rows.map((row) => row.slice(0, shown)), isText);
  return [make("h3", "section-title", "Over all images"), table];
}

// `isText(place)` tells of a column whether it stands as texts do; the first one always does.
export function plainTable(titles, rows, isText) {
  const box = make("div", "scroll plain");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", titles[0]);
  const table = make("table");
  const head = make("tr");
  const kinds = titles.map((_, place) => (!place || isText(place) ? "kind-text" : ""));
  titles.forEach((title, place) => {
    const cell = make("th", kinds[place], title);
    cell.scope = "col";
    head.append(cell);
  });
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr");
    row.forEach((text, place) => {
      const cell = make(place ? "td" : "th", kinds[place]);
      if (!place) cell.scope = "row";
      cell.append(named("", text));
      line.append(cell);
    });
    body.append(line);
  }
  table.append(top, body);
  box.append(table);
  return box;
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
}

function whereTheyDiffer(pairs, a, b, mode, by) {
  const box = make("div");
  box.append(make("h3", "section-title", `Where they differ most in ${by}, ${mode} mode`));
  for (const { name, left, right, difference } of pairs.slice(0, MOST)) {
    const row = make("section", "system-row");
    row.dataset.same = [a.request_id, b.request_id, mode, by, name].join(" ");
    const title = make("h4", "", `${name}: A − B = ${signed(difference)}`);
    const cards = make("div", "cards two");
    for (const [picture, system, letter] of [[left, a, "A"], [right, b, "B"]]) {
      const card = make("figure", "card");
      const caption = make("figcaption", "");
      caption.append(make("strong", "", `${letter} `), named("", system.model), ` ${picture[by].toFixed(4)}`);
      card.append(slider(picture, system), caption);
      cards.append(card);
    }
    row.append(title, cards);
    box.append(row);
  }
  if (!pairs.length) box.append(make("p", "empty", "They share no image with pictures and scores in this mode."));
  return box;
}
