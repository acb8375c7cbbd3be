// All that is known of one row, in a dialog.

import { button, make, named } from "./dom.js";
import { shownText } from "./cells.js";
import { chosenBoard, dataPath } from "./frozen.js";
import * as state from "./state.js";

export function openRow(view, index) {
  const { bench, cells } = view;
  const dialog = make("dialog", "row-dialog");
  const head = make("header");
  const title = make("h3");
  title.append(named("", cells.model[index]));
  const close = button("tool", "Close", () => dialog.close());
  head.append(title, close);
  const list = make("dl");
  for (const column of bench.columns) {
    const value = cells[column.key]?.[index];
    if (column.key === "model" || value === null || value === undefined || value === "") continue;
    const name = column.group ? `${column.group}, ${column.title}` : column.title;
    const text = column.kind === "hash" ? value : shownText(column, value, bench.digits);
    const said = make("dd");
    said.append(named("", text));
    list.append(make("dt", "", column.key === "rank" ? "Rank" : name), said);
  }
  const cautions = cells.cautions?.[index];
  const requestId = cells.request?.[index];
  const marks = cautions ? [make("p", "cautions", cautions)] : [];
  dialog.append(head, ...marks, list, ...(requestId ? [reproduction(requestId)] : []), links(requestId));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.showModal();
}

// The commands that run the row again and that cite it.
function reproduction(requestId) {
  const again = `cmc reproduce ${requestId} --store STORE --subset 50 --images DIR`;
  const board = chosenBoard();
  const cite = `cmc export ${requestId} --store STORE --format bibtex${board ? ` --as-of ${board.label}` : ""}`;
  const lines = make("pre", "commands", `${again}\n${cite}`);
  lines.tabIndex = 0;
  lines.setAttribute("role", "region");
  lines.setAttribute("aria-label", "Run this row again, and cite it");
  return lines;
}

function links(requestId) {
  const box = make("p", "row-links");
  if (!requestId) {
    box.textContent = "A published row: its numbers are the authors', and there is no run behind them.";
    return box;
  }
  const record = make("a", "", "The whole record, JSON");
  record.href = dataPath(`results/${encodeURIComponent(requestId)}.json`);
  const cite = make("a", "", "BibTeX");
  cite.href = dataPath(`cite/${encodeURIComponent(requestId)}.bib`);
  const pictures = make("a", "", "Its pictures");
  pictures.href = state.queryFor({ view: "pictures", systems: requestId });
  const compare = make("a", "", "Compare it");
  compare.href = state.queryFor({ view: "compare", a: requestId });
  box.append(record, cite, pictures, compare);
  return box;
}
