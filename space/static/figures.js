// The figures: plotly draws what the server wrote down; its script is fetched when one is looked at.

import { button, choice, load, make, picker } from "./dom.js";
import { plainTable } from "./compare.js";
import { save, toCsv } from "./download.js";
import * as state from "./state.js";

let plotly = null;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = make("script");
    script.src = "page/plotly.min.js";
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("plotly's script did not arrive")));
    document.head.append(script);
  });
  return plotly;
}

export async function open(box) {
  const index = await load("data/figures.json");
  return { update: () => draw(box, index) };
}

async function draw(box, index) {
  const kinds = [...new Map(index.map((one) => [one.kind, one.title]))];
  const kind = kinds.some(([key]) => key === state.get("figure")) ? state.get("figure") : kinds[0][0];
  const choices = index.filter((one) => one.kind === kind);
  const chosen = choices.find(({ key }) => key === state.get("of")) ?? choices[0];
  const controls = make("div", "controls");
  controls.append(
    picker("Figure", kinds.map(([key, text]) => ({ key, text })), kind, (key) => state.set({ figure: key, of: null })),
  );
  if (choices.length > 1) {
    controls.append(
      picker("of", choices.map(({ key, of }) => ({ key, text: of })), chosen.key, (key) => state.set({ of: key })),
    );
  }
  const place = make("div", "figure");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${chosen.title}, ${chosen.of}. The same numbers are in the table below it.`);
  const tools = make("div", "tools");
  controls.append(tools);
  box.replaceChildren(make("h2", "title", chosen.title), make("p", "about", chosen.about), controls, place);
  const data = await load(`data/figures/${chosen.key}.json`);
  const rows = data.rows;
  tools.append(
    ...["svg", "png"].map((format) =>
      button("tool", format.toUpperCase(), () =>
        window.Plotly?.downloadImage(place, { format, filename: `cmc-bench-${chosen.key}`, width: 1200, height: 700, scale: 2 }),
      ),
    ),
    button("tool", "CSV", () => save(`cmc-bench-${chosen.key}.csv`, "text/csv", toCsv(rows))),
    button("tool", "JSON", () => save(`cmc-bench-${chosen.key}.json`, "application/json", JSON.stringify(rows, null, 1))),
  );
  if (data.figure) {
    const { newPlot } = await loadPlotly();
    await newPlot(place, data.figure.data, themed(data.figure.layout, place), { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
  } else {
    place.remove();
  }
  const titles = Object.keys(rows[0] ?? {});
  box.append(
    make("h3", "section-title", "The numbers"),
    plainTable(titles, rows.slice(0, 200).map((row) => titles.map((key) => cellText(row[key])))),
  );
}

function cellText(value) {
  if (value === null || value === undefined) return "–";
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
