// Boards as they were frozen: which one the address names, where its files are, and what the page
// says of it.

import { make, picker } from "./dom.js";
import * as state from "./state.js";

const LIVE = "live";
let snapshots = [];

export function know(site) {
  snapshots = site.snapshots ?? [];
}

// The frozen board that is shown; none is the live one.
export function chosenBoard() {
  return snapshots.find(({ label }) => label === state.get("as_of"));
}

// Where a file of the board lies.
export function dataPath(rest) {
  const board = chosenBoard();
  return board ? `data/as-of/${encodeURIComponent(board.slug)}/${rest}` : `data/${rest}`;
}

export function snapshotPicker() {
  if (!snapshots.length) return [];
  const options = [...snapshots].reverse().map(({ label }) => ({ key: label, text: label }));
  return [
    picker("As of", [{ key: LIVE, text: "now" }, ...options], chosenBoard()?.label ?? LIVE, (key) =>
      state.set({ as_of: key === LIVE ? null : key }, { newPage: true }),
    ),
  ];
}

// What a view has to do with the frozen board that is chosen.
const SHOWN = {
  frozen: (day) => `, the board as it was frozen on ${day}. Rows that were taken back since are marked. `,
  compared: () => " is chosen for boards and pairs; this view compares the boards that are named below. ",
  live: () => " is chosen for boards and pairs; this view shows what is live. ",
};

// Says which board is shown wherever it is not the live one; `kind` is one of the above.
export function drawNotice(node, kind) {
  const asked = state.get("as_of");
  const board = chosenBoard();
  node.hidden = !asked;
  if (!asked) return;
  const back = make("a", "", "Back to the live board");
  back.href = state.queryFor({ view: state.get("view"), content: state.get("content"), as_of: "" });
  if (!board) {
    const unknown = make("bdi", "", asked.slice(0, 80));
    node.replaceChildren("No board was frozen as ", unknown, "; this is the live one. ", back);
    return;
  }
  const name = make("strong", "", board.label);
  const day = board.frozen_at.slice(0, 10);
  const more = make("a", "", "What changed since");
  more.href = state.queryFor({ view: "changes", from: board.label, to: LIVE, as_of: "" });
  const others = board.other_published ? "The published rows are of another version than then. " : "";
  node.title = `sha256 ${board.sha256}`;
  node.replaceChildren(name, SHOWN[kind](day), kind === "frozen" ? others : "", back, " ", more);
}
