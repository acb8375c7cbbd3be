// All that is known of one row, in a dialog.

import { button, load, make, named } from "./dom.js";
import { shownText } from "./cells.js";
import { chosenBoard, dataPath } from "./frozen.js";
import * as state from "./state.js";

const SAID = { paper: "Paper", code: "Code", trained_on: "Trained on", comment: "Comment" };

export function openRow(view, index) {
  const { bench, cells } = view;
  const requestId = cells.request?.[index];
  const dialog = make("dialog", "row-dialog");
  const head = make("header");
  const title = make("h3");
  title.id = "row-title";
  title.append(named("", cells.model[index]));
  dialog.setAttribute("aria-labelledby", title.id);
  const close = button("tool", "Close", () => dialog.close());
  head.append(title, close);
  const list = make("dl");
  for (const column of bench.columns) {
    // Who keeps silent about it is no better than who says it.
    const silent = column.key === "variants_tried" && requestId ? "not said" : null;
    const value = cells[column.key]?.[index] ?? silent;
    if (column.key === "model" || value === null || value === undefined || value === "") continue;
    const name = column.group ? `${column.group}, ${column.title}` : column.title;
    const text = column.kind === "hash" ? value : shownText(column, value, bench.digits);
    const said = make("dd");
    said.append(named("", text));
    list.append(make("dt", "", column.key === "rank" ? "Rank" : name), said);
  }
  const cautions = cells.cautions?.[index];
  // Where it cannot be had, the link to the record says so too.
  if (requestId) addRecorded(list, requestId).catch(() => {});
  const marks = cautions ? [make("p", "cautions", cautions)] : [];
  dialog.append(head, ...marks, list, ...(requestId ? [reproduction(requestId)] : []), links(requestId));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.showModal();
}

// How many captions were too long for the T2I model, and what the submitter says of it: in the record
// alone, or it would weigh on every board.
async function addRecorded(list, requestId) {
  const { request, provenance } = await load(recordPath(requestId));
  const cut = cutCaptions(provenance.captions_cut ?? {});
  if (cut) list.append(make("dt", "", "Captions"), make("dd", "said", cut));
  for (const [name, title] of Object.entries(SAID)) {
    const text = request.declared?.[name];
    if (!text) continue;
    const said = make("dd", "said");
    said.append(/^https?:\/\//i.test(text) && name !== "comment" ? outside(text) : named("", text));
    list.append(make("dt", "", title), said);
  }
}

function cutCaptions(counts) {
  const some = Object.entries(counts).filter(([, count]) => count);
  if (!some.length) return "";
  const parts = some.map(([mode, count]) => `${count} ${count === 1 ? "caption" : "captions"} in ${mode} mode`);
  return `The T2I model read only the beginning of ${new Intl.ListFormat("en").format(parts)}.`;
}

function outside(address) {
  const link = make("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener nofollow ugc";
  link.append(named("", address));
  return link;
}

function recordPath(requestId) {
  return dataPath(`results/${encodeURIComponent(requestId)}.json`);
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
  record.href = recordPath(requestId);
  const cite = make("a", "", "BibTeX");
  cite.href = dataPath(`cite/${encodeURIComponent(requestId)}.bib`);
  const curve = make("a", "", "Its rate points, CompressAI's JSON");
  curve.href = `data/compressai/${encodeURIComponent(requestId)}.json`;
  const pictures = make("a", "", "Its pictures");
  pictures.href = state.queryFor({ view: "pictures", systems: requestId });
  const compare = make("a", "", "Compare it");
  compare.href = state.queryFor({ view: "compare", a: requestId });
  // Rate points are of the live board: a codec's later qualities belong to its curve.
  box.append(record, cite, ...(chosenBoard() ? [] : [curve]), pictures, compare);
  return box;
}
