// A table of any length that keeps only the rows in sight in the page; on paper that is all of them.

import { make } from "./dom.js";
import { redraw } from "./keep.js";

const SPARE = 8;

export class WindowedTable {
  // `drawRow(index)` returns the row of one index of the data, `keyOf(index)` what it is called when
  // indices have changed; all rows are `rowHeight` high.
  constructor(label, rowHeight, drawRow, keyOf) {
    Object.assign(this, { rowHeight, drawRow, keyOf });
    this.order = [];
    this.drawn = new Map();
    this.node = make("div", "scroll");
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", label);
    this.table = make("table");
    this.columns = make("colgroup");
    this.head = make("thead");
    this.body = make("tbody");
    this.above = make("tr", "spacer");
    this.below = make("tr", "spacer");
    for (const spacer of [this.above, this.below]) spacer.setAttribute("aria-hidden", "true");
    this.table.append(this.columns, this.head, this.body);
    this.node.append(this.table);
    this.printed = false;
    for (const name of ["beforeprint", "afterprint"]) {
      this.node.addEventListener(name, () => {
        this.printed = name === "beforeprint";
        this.paint();
      });
    }
    let waiting = false;
    this.node.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        this.paint();
      });
    });
    new ResizeObserver(() => this.paint()).observe(this.node);
  }

  // Head rows, and the widths of all columns in pixels; null takes what is left.
  setHead(rows, widths) {
    const columns = widths.map((width) => {
      const column = make("col");
      if (width) column.style.width = `${width}px`;
      return column;
    });
    this.columns.replaceChildren(...columns);
    this.table.style.minWidth = `${widths.reduce((sum, width) => sum + (width ?? 230), 0)}px`;
    redraw(this.head, ...rows);
    this.headRows = rows.length;
  }

  // Which rows there are, top to bottom; what was drawn before is drawn anew.
  setRows(order) {
    const held = this.heldRow();
    this.order = order;
    this.drawn.clear();
    this.table.setAttribute("aria-rowcount", String(order.length + this.headRows));
    this.paint();
    if (held) this.holdRow(held);
  }

  // The row in which a button has the focus, and which of its buttons.
  heldRow() {
    const focused = document.activeElement;
    const row = this.body.contains(focused) ? focused.closest("tr") : null;
    if (!row) return null;
    const at = [...row.querySelectorAll("button")].indexOf(focused);
    return { key: row.dataset.key, at, byKeys: focused.matches(":focus-visible") };
  }

  // A keyboard goes where its row has gone; under a pointer the table stays where it is.
  holdRow({ key, at, byKeys }) {
    const place = this.order.findIndex((index) => this.keyOf(index) === key);
    if (byKeys && place >= 0) this.reveal(place);
    const row = this.drawn.get(this.order[place]);
    const control = row?.querySelectorAll("button")[at] ?? this.node;
    control.focus({ preventScroll: !byKeys });
  }

  reveal(place) {
    const top = place * this.rowHeight;
    const lowest = top + this.rowHeight + this.head.offsetHeight - this.node.clientHeight;
    this.node.scrollTop = Math.min(top, Math.max(lowest, this.node.scrollTop));
    this.paint();
  }

  // The places of the first row to draw and of the one behind the last.
  inSight() {
    if (this.printed) return [0, this.order.length];
    const height = this.node.clientHeight || window.innerHeight * 0.76;
    // Where rows have become fewer, the table may still stand below the last of them.
    const last = Math.max(0, this.order.length - Math.floor(height / this.rowHeight));
    const top = Math.min(last, Math.floor(this.node.scrollTop / this.rowHeight));
    const end = Math.ceil((this.node.scrollTop + height) / this.rowHeight) + SPARE;
    return [Math.max(0, top - SPARE), Math.min(this.order.length, end)];
  }

  paint() {
    const [first, end] = this.inSight();
    const rows = [];
    const kept = new Map();
    for (let place = first; place < end; place += 1) {
      const index = this.order[place];
      const row = this.drawn.get(index) ?? this.drawRow(index);
      row.dataset.key = this.keyOf(index);
      row.setAttribute("aria-rowindex", String(place + 1 + this.headRows));
      row.style.height = `${this.rowHeight}px`;
      kept.set(index, row);
      rows.push(row);
    }
    this.drawn = kept;
    this.above.style.height = `${first * this.rowHeight}px`;
    this.below.style.height = `${(this.order.length - end) * this.rowHeight}px`;
    const wanted = [first ? [this.above] : [], rows, end < this.order.length ? [this.below] : []];
    placeChildren(this.body, wanted.flat());
  }
}

// Like replaceChildren, but a row that stays is not taken out, so that it keeps the focus.
function placeChildren(parent, wanted) {
  const staying = new Set(wanted);
  for (const node of [...parent.children]) if (!staying.has(node)) node.remove();
  let next = parent.firstChild;
  for (const node of wanted) {
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
}

// What is missing is neither best nor worst: it stays last in both directions. Pinned rows stay on
// top, in the same order among themselves; equal ones keep the order of their numbers.
export function sortRows(rows, values, ascending, pinned) {
  const missing = (value) => value === null || value === undefined || value === "";
  const isText = values.some((value) => typeof value === "string");
  const collator = isText ? new Intl.Collator("en", { numeric: true }) : null;
  const sign = ascending ? 1 : -1;
  rows.sort((a, b) => {
    if (pinned[a] !== pinned[b]) return pinned[b] - pinned[a];
    const [x, y] = [values[a], values[b]];
    if (missing(x) || missing(y)) return missing(x) - missing(y) || a - b;
    const order = isText ? collator.compare(x, y) : x - y;
    return sign * order || a - b;
  });
}
