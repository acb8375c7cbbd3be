// The choices above a board: bench, content, search, filters, columns, downloads.

import { checkbox, choice, make, picker, popover } from "./dom.js";
import { downloadMenu } from "./download.js";
import { dataPath, snapshotPicker } from "./frozen.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

// Filters by the values of a column; `any` of the chosen ones lets a row through.
const CHOICES = ["source", "family", "licence"];
const TITLES = { source: "Source", family: "Family", licence: "Licence" };

export function drawControls(box, view) {
  const { board, bench, site } = view;
  // A panel that is open keeps its place and its focus while its choices are being made.
  const drawn = `${view.track} ${view.content} ${bench.key}`;
  if (box.dataset.drawn === drawn) {
    box.querySelector(".filters summary").textContent = filterTitle();
    return;
  }
  box.dataset.drawn = drawn;
  const parts = [];
  if (board.tables.length > 1) {
    parts.push(
      choice(
        "Bench",
        board.tables.map(({ key, title, tag }) => ({ key, text: title, tag, title: key })),
        bench.key,
        (key) => state.set({ bench: key === board.tables[0].key ? null : key }),
      ),
    );
  }
  parts.push(
    choice(
      "Content of the images",
      Object.entries(site.contents).map(([key, [text, title]]) => ({ key, text, title })),
      view.content,
      (key) => state.set({ content: key === "all" ? null : key }),
    ),
  );
  const tools = make("div", "tools");
  tools.append(
    ...snapshotPicker(),
    searchField(),
    popover(filterTitle(), "filters", (panel) => drawFilters(panel, view)),
    popover("Columns", "columns", (panel) => drawColumns(panel, view)),
    downloadMenu(`cmc-bench-${view.track}-${view.content}`, () => view.shownRows(), [
      { text: "CSV", path: dataPath(`board/${view.track}.${view.content}.csv`) },
      { text: "JSON", path: dataPath(`board/${view.track}.${view.content}.json`) },
      { text: "Parquet", path: dataPath(`board/${view.track}.${view.content}.parquet`) },
    ]),
  );
  redraw(box, ...parts, tools);
}

function searchField() {
  const field = make("input", "search");
  field.type = "search";
  field.placeholder = "Search by name";
  field.setAttribute("aria-label", "Search by name");
  field.value = state.get("q");
  field.addEventListener("input", () => state.set({ q: field.value }));
  return field;
}

function filterCount() {
  return CHOICES.filter((name) => state.get(name)).length
    + ["open", "params"].filter((name) => state.get(name)).length;
}

function filterTitle() {
  const count = filterCount();
  return count ? `Filters · ${count}` : "Filters";
}

function valuesOf(bench, key) {
  return [...new Set(bench.cells[key] ?? [])].filter((value) => value !== null && value !== "").sort();
}

function drawFilters(panel, { bench }) {
  const parts = [];
  for (const key of CHOICES) {
    const values = valuesOf(bench, key);
    if (values.length < 2) continue;
    const group = make("fieldset");
    group.append(make("legend", "panel-title", TITLES[key]));
    const chosen = new Set(state.getList(key));
    for (const value of values) {
      group.append(
        checkbox(value, chosen.has(value), (on) => {
          if (on) chosen.add(value);
          else chosen.delete(value);
          state.set({ [key]: [...chosen] });
        }),
      );
    }
    parts.push(group);
  }
  if (valuesOf(bench, "open_weights").length) {
    parts.push(
      checkbox("Open weights only", state.get("open") === "1", (on) =>
        state.set({ open: on ? "1" : null }),
      ),
    );
  }
  if (valuesOf(bench, "parameters").length) parts.push(parametersPicker());
  const clear = make("button", "entry", "Take all back");
  clear.type = "button";
  clear.addEventListener("click", () => {
    state.set({ source: null, family: null, licence: null, open: null, params: null, q: null });
    panel.closest(".tools").querySelector(".search").value = "";
    drawFilters(panel, { bench });
  });
  redraw(panel, ...parts, clear);
}

function parametersPicker() {
  const sizes = [["", "any"], ["1e9", "1 B"], ["3e9", "3 B"], ["7e9", "7 B"], ["13e9", "13 B"], ["35e9", "35 B"]];
  return picker(
    "Parameters at most",
    sizes.map(([key, text]) => ({ key, text })),
    state.get("params"),
    (key) => state.set({ params: key }),
  );
}

// A letter with an accent is one sign or two, as whoever typed it had it.
function searched(text) {
  return text.normalize("NFKC").toLowerCase();
}

// The indices of the rows that all filters let through.
export function keptRows(bench, cells) {
  const wanted = searched(state.get("q").trim());
  const sets = CHOICES.filter((key) => state.get(key) && cells[key]).map((key) => [
    cells[key],
    new Set(state.getList(key)),
  ]);
  const mostParameters = Number.parseFloat(state.get("params")) || Infinity;
  const onlyOpen = state.get("open") === "1";
  const kept = [];
  for (let i = 0; i < bench.count; i += 1) {
    if (sets.some(([values, set]) => !set.has(values[i]))) continue;
    if (onlyOpen && cells.open_weights?.[i] !== true) continue;
    if (mostParameters < Infinity && !(cells.parameters?.[i] <= mostParameters && cells.parameters[i])) continue;
    if (wanted) {
      if (!searched(`${cells.model[i]} ${cells.partner?.[i] ?? ""}`).includes(wanted)) continue;
    }
    kept.push(i);
  }
  return kept;
}

// The columns that are there unasked, with those that were asked for and without those taken away.
export function shownColumns(bench) {
  const asked = new Set(state.getList("cols"));
  const hidden = new Set(state.getList("hide"));
  return bench.columns.filter(
    ({ key, shown }) => key === "model" || (!hidden.has(key) && (shown || asked.has(key))),
  );
}

function drawColumns(panel, { bench }) {
  let group = null;
  for (const column of bench.columns) {
    if (column.key === "model") continue;
    if (!group || group.title !== column.group) {
      const box = make("fieldset");
      box.append(make("legend", "panel-title", column.group || (group ? "System" : "Board")));
      group = { title: column.group, box };
      panel.append(box);
    }
    const { key, shown } = column;
    const isThere = shown ? !state.getList("hide").includes(key) : state.getList("cols").includes(key);
    const check = checkbox(column.title, isThere, (on) => {
      const name = shown ? "hide" : "cols";
      const keys = state.getList(name).filter((other) => other !== key);
      if (on !== shown) keys.push(key);
      state.set({ [name]: keys });
    });
    check.title = column.tooltip;
    group.box.append(check);
  }
}
