// The figures: plotly draws what the server wrote down; its script is fetched when one is looked at.

import { button, load, make, picker } from "./dom.js";
import { plainTable } from "./compare.js";
import { fileLink, save } from "./download.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

// Below these widths a figure is not squeezed but scrolled.
const LEAST_WIDTH = 640;
const LEAST_WIDTH_OF_PANELS = 920;
// What A4 and letter paper on its long side have beside margins and the heading.
const SHEET = { width: 960, height: 560 };
const MOST_ROWS = 200;
let plotly = null;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = make("script");
    script.src = "page/plotly.min.js";
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      plotly = null;
      reject(new Error("plotly's script did not arrive"));
    });
    document.head.append(script);
  });
  return plotly;
}

export async function open(box) {
  let index = await load("data/figures.json");
  // The figure that stands there and is drawn over: a reader may have hidden some of its names.
  const view = { turn: 0, key: null, frame: null };
  return {
    update: () => draw(box, index, view),
    async renew() {
      index = await load("data/figures.json");
      await draw(box, index, view);
    },
  };
}

async function draw(box, index, view) {
  view.turn += 1;
  const { turn } = view;
  const kinds = [...new Map(index.map((one) => [one.kind, one.title]))];
  const kind = kinds.some(([key]) => key === state.get("figure")) ? state.get("figure") : kinds[0][0];
  const choices = index.filter((one) => one.kind === kind);
  const chosen = choices.find(({ key }) => key === state.get("of")) ?? choices[0];
  const data = await load(`data/figures/${chosen.key}.json`);
  if (turn !== view.turn) return;
  const controls = make("div", "controls");
  controls.append(
    picker("Figure", kinds.map(([key, text]) => ({ key, text })), kind, (key) => state.set({ figure: key, of: null })),
  );
  if (choices.length > 1) {
    controls.append(
      picker("of", choices.map(({ key, of }) => ({ key, text: of })), chosen.key, (key) => state.set({ of: key })),
    );
  }
  const heading = [make("h2", "title", chosen.title), controls];
  if (!data.figure) {
    view.key = null;
    redraw(box, ...heading, make("p", "empty", chosen.about));
    return;
  }
  if (view.key !== chosen.key) Object.assign(view, { key: chosen.key, frame: makeFrame(chosen) });
  controls.append(downloads(chosen, data));
  redraw(box, ...heading, make("p", "about", chosen.about), view.frame, ...numbers(data.rows));
  await paint(view.frame, data.figure);
}

function makeFrame({ title, of }) {
  const frame = make("div", "figure");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", title);
  const place = make("div");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${title}, ${of}. The same numbers are in the table below it.`);
  frame.append(place);
  frame.addEventListener("beforeprint", () => frame.onPaper?.());
  frame.addEventListener("afterprint", () => frame.onScreen?.());
  return frame;
}

async function paint(frame, { data, layout }) {
  const { react, relayout } = await loadPlotly();
  if (!frame.isConnected) return;
  const place = frame.firstChild;
  const least = layout.xaxis2 ? LEAST_WIDTH_OF_PANELS : LEAST_WIDTH;
  const narrow = frame.clientWidth < least;
  const shown = { ...themed(layout, frame), title: { text: "" }, margin: { ...layout.margin, t: 34 } };
  if (narrow) shown.width = least;
  // What a reader has changed in it is kept while this says the same.
  shown.uirevision = "kept";
  nameTraces(data);
  await react(place, data, shown, { responsive: !narrow, displaylogo: false, displayModeBar: false });
  // One that is higher than a sheet is made smaller as a whole: its names need their room.
  const zoom = Math.min(1, SHEET.height / layout.height);
  frame.style.setProperty("--zoom", String(zoom));
  frame.onPaper = () => relayout(place, { width: SHEET.width / zoom });
  frame.onScreen = () => relayout(place, narrow ? { width: least } : { autosize: true });
}

// By these a name that is hidden stays hidden when others have come before it. Plotly makes selectors
// of them.
function nameTraces(data) {
  const seen = new Map();
  for (const trace of data) {
    const letters = [...`${trace.name} ${trace.xaxis}`].map((letter) => letter.codePointAt(0).toString(36));
    const name = letters.join("_");
    seen.set(name, (seen.get(name) ?? 0) + 1);
    trace.uid = `${name}-${seen.get(name)}`;
  }
}

function downloads({ key, of }, { figure, rows }) {
  const stem = `cmc-bench-${key}`;
  const tools = make("div", "tools");
  const failure = make("p", "failure");
  failure.setAttribute("role", "alert");
  const picture = (format) =>
    button("tool", format.toUpperCase(), async () => {
      failure.remove();
      try {
        await savePicture(figure, { format, filename: stem }, of);
      } catch (error) {
        failure.textContent = `No ${format.toUpperCase()} was made: ${error.message}. Press again to try again.`;
        tools.append(failure);
      }
    });
  tools.append(
    picture("svg"),
    picture("png"),
    fileLink("tool", "CSV", `data/figures/${key}.csv`),
    button("tool", "JSON", () => save(`${stem}.json`, "application/json", JSON.stringify(rows, null, 1))),
    fileLink("tool", "Parquet", `data/figures/${key}.parquet`),
  );
  return tools;
}

async function savePicture({ data, layout: own }, file, of) {
  const { downloadImage } = await loadPlotly();
  const title = { ...own.title, text: `${own.title.text}: ${escaped(of)}` };
  const layout = { ...themed(own, document.body), title };
  const size = { width: 1200, height: Math.max(700, own.height), scale: 2 };
  await downloadImage({ data, layout }, { ...file, ...size });
}

// Plotly reads a few tags in a title.
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").slice(0, 120);
}

function numbers(rows) {
  const titles = [...new Set(rows.flatMap(Object.keys))];
  const shown = rows.slice(0, MOST_ROWS).map((row) => titles.map((key) => cellText(row[key])));
  const heading = make("h3", "section-title", "The numbers");
  const more = rows.length - shown.length;
  const note = more > 0 ? [make("p", "note", `${more} more rows are in the files.`)] : [];
  const isText = (place) => isOfText(rows.map((row) => row[titles[place]]));
  return [heading, plainTable(titles.map((title) => title.replaceAll("_", " ")), shown, isText), ...note];
}

// Names, and not numbers, which what is varied has as texts too.
function isOfText(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const isWord = (value) => typeof value === "boolean" || value === "" || Number.isNaN(Number(value));
  return known.length > 0 && known.every(isWord);
}

function cellText(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)).toString() : String(value);
}

// Plotly writes colours inline, so the page's are given to it.
function themed(layout, place) {
  const style = getComputedStyle(place);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    ...layout,
    font: { ...layout.font, color: colour("--ink") },
    paper_bgcolor: colour("--paper"),
    plot_bgcolor: colour("--paper"),
  };
}
