// The matrix of pairs: one line an I2T model, one column a T2I model, one number as colour.

import { choice, load, make, nameLines, picker } from "./dom.js";
import { downloadMenu } from "./download.js";
import { dataPath, snapshotPicker } from "./frozen.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

export async function open(box, site) {
  const tables = await load(dataPath("pairs.json"));
  return { update: () => draw(box, site, tables) };
}

function draw(box, site, tables) {
  const content = state.get("content") in site.contents ? state.get("content") : "all";
  const benches = tables.filter((table) => table.content === content);
  const table = benches.find(({ key }) => key === state.get("bench")) ?? benches[0];
  const heading = [
    make("h2", "title", "Every encoder with every decoder"),
    make("p", "about", "Which I2T model writes what which T2I model can paint from. Empty: not run."),
  ];
  const controls = make("div", "controls");
  if (benches.length > 1) {
    const options = benches.map(({ key, title }) => ({ key, text: title, title: key }));
    controls.append(
      choice("Bench", options, table?.key, (key) => state.set({ bench: key === benches[0].key ? null : key })),
    );
  }
  controls.append(
    choice(
      "Content of the images",
      Object.entries(site.contents).map(([key, [text, title]]) => ({ key, text, title })),
      content,
      (key) => state.set({ content: key === "all" ? null : key }),
    ),
  );
  if (!table) {
    redraw(box, ...heading, controls, make("p", "empty", "No pair has been run on these images."));
    return;
  }
  const measure = table.measures.find(({ key }) => key === state.get("measure")) ?? table.measures[0];
  const tools = make("div", "tools");
  tools.append(
    ...snapshotPicker(),
    picker(
      "Score",
      table.measures.map(({ key, title }) => ({ key, text: title })),
      measure.key,
      (key) => state.set({ measure: key }),
    ),
    downloadMenu(`cmc-bench-pairs-${content}`, () => ({ records: records(table) }), [
      { text: "CSV", path: dataPath("pairs.csv") },
      { text: "JSON", path: dataPath("pairs.json") },
      { text: "Parquet", path: dataPath("pairs.parquet") },
    ], "All pairs"),
  );
  controls.append(tools);
  const effects = make("a", "", "What the encoder and what the decoder adds");
  effects.href = state.queryFor({ view: "figures", figure: "effects" });
  const more = make("p", "note", `${table.about} `);
  more.append(effects);
  redraw(box, ...heading, controls, matrix(table, measure), more);
}

function matrix(table, measure) {
  const values = table.i2t.map(() => table.t2i.map(() => null));
  table.places.forEach(([row, column], at) => { values[row][column] = table.values[measure.key][at]; });
  const known = table.values[measure.key].filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const scroll = make("div", "scroll matrix");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `${measure.title} of all pairs`);
  const grid = make("table");
  const caption = make("caption", "", `${measure.title}; higher is better`);
  const head = make("tr");
  head.append(make("td", "corner", "I2T ↓  T2I →"));
  for (const name of table.t2i) {
    const cell = make("th");
    cell.scope = "col";
    cell.append(nameLines(name));
    head.append(cell);
  }
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  values.forEach((line, row) => {
    const tr = make("tr");
    const name = make("th");
    name.scope = "row";
    name.append(nameLines(table.i2t[row]));
    tr.append(name, ...line.map((value) => cell(value, low, high)));
    body.append(tr);
  });
  grid.append(caption, top, body);
  scroll.append(grid);
  return scroll;
}

function cell(value, low, high) {
  const node = make("td", value === null ? "not-run" : "pair", value === null ? "" : value.toFixed(3));
  if (value === null) return node;
  const share = high > low ? (value - low) / (high - low) : 1;
  node.style.setProperty("--share", `${Math.round(4 + 44 * share)}%`);
  if (value === high) node.classList.add("best");
  return node;
}

function records(table) {
  return table.places.map(([row, column], at) => ({
    bench: table.key,
    i2t: table.i2t[row],
    t2i: table.t2i[column],
    ...Object.fromEntries(table.measures.map(({ key }) => [key, table.values[key][at]])),
  }));
}
