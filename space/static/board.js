// One board: what is chosen, which rows that leaves, and the table that shows them.

import { announce, make, load } from "./dom.js";
import { drawControls, keptRows, shownColumns } from "./controls.js";
import { drawCell, widthOf } from "./cells.js";
import { dataPath } from "./frozen.js";
import { Leader } from "./leader.js";
import { isPinned, rowKey, togglePin } from "./pins.js";
import { openRow } from "./row.js";
import * as state from "./state.js";
import { sortRows, WindowedTable } from "./table.js";
import { verdictOf } from "./verdict.js";
import { WeightSlider } from "./weights.js";

const ROW_HEIGHT = 50;
const DENSE_HEIGHT = 37;
const NARROW = window.matchMedia("(max-width: 640px)");

export async function open(box, site, track) {
  const view = new BoardView(box, site, track);
  await view.read();
  return view;
}

class BoardView {
  constructor(box, site, track) {
    Object.assign(this, { box, site, track });
    this.parts = {};
    box.classList.add("board-view");
    const order = ["title", "about", "verdict", "weights", "controls", "table", "note", "bench-about"];
    const tags = { title: "h2", about: "p", "bench-about": "p", note: "p" };
    for (const name of order) this.parts[name] = make(tags[name] ?? "div", name);
    this.parts.note.setAttribute("role", "status");
    this.leader = new Leader();
    box.append(...order.map((name) => this.parts[name]), this.leader.node);
    const keyOf = (index) => rowKey(this.cells, index);
    this.table = new WindowedTable("Scores", ROW_HEIGHT, (index) => this.drawRow(index), keyOf);
    this.parts.table.append(this.table.node);
    NARROW.addEventListener("change", () => this.drawHead());
  }

  async read() {
    this.content = state.get("content", "all");
    if (!(this.content in this.site.contents)) this.content = "all";
    this.board = await load(dataPath(`board/${this.track}.${this.content}.json`));
  }

  // Other data into the same board.
  async renew(site) {
    this.site = site;
    await this.read();
    delete this.parts.controls.dataset.drawn;
    await this.update({});
  }

  async update(changes) {
    if ("content" in changes) await this.read();
    const { tables } = this.board;
    this.bench = tables.find((table) => table.key === state.get("bench")) ?? tables[0];
    this.ranges = new Map();
    this.pins = new Set(state.getList("pin"));
    this.columns = shownColumns(this.bench);
    this.weigh();
    if (!("weight" in changes) && !("q" in changes && Object.keys(changes).length === 1)) {
      this.drawAround();
    }
    if (!this.slider || this.slider.own !== this.board.weight) {
      this.slider = new WeightSlider(this.board.weight, (share) => state.set({ weight: share }));
      this.parts.weights.replaceChildren(this.slider.node);
    }
    this.slider.show(this.weight, this.bench.leads);
    this.drawHead();
    this.setHeight();
    this.drawRows();
  }

  // Rows are low where no cell has a second line.
  setHeight() {
    const { cells, partner } = this.bench;
    const second =
      cells.lacks.some(Boolean) ||
      cells.overall_low ||
      cells.flags ||
      cells.model.some((name) => name.includes("/")) ||
      this.columns.some(({ kind }) => kind === "rate") ||
      (!partner && cells.partner?.some(Boolean));
    this.table.rowHeight = second ? ROW_HEIGHT : DENSE_HEIGHT;
    this.table.node.classList.toggle("dense", !second);
  }

  // Another weighting gives another Overall and another rank to the same means; a rank needs no
  // more than that, an interval would, so intervals belong to the board's own weighting.
  weigh() {
    const asked = Number.parseFloat(state.get("weight"));
    const isOther = asked >= 0 && asked <= 1 && Math.abs(asked - this.board.weight) > 1e-9;
    this.weight = isOther ? asked : this.board.weight;
    this.isOther = isOther;
    this.cells = this.bench.cells;
    if (!isOther) return;
    const { mean_fr: fr, mean_nr: nr } = this.cells;
    const overall = fr.map((mean, i) =>
      mean === null ? null : asked * mean + (1 - asked) * nr[i],
    );
    const sorted = overall.filter((value) => value !== null).sort((a, b) => b - a);
    const rank = overall.map((value) => (value === null ? null : 1 + lowerBound(sorted, value)));
    this.cells = { ...this.cells, overall, rank };
  }

  drawAround() {
    this.parts.title.textContent = this.board.title;
    this.parts.about.textContent = this.board.about;
    const several = this.board.tables.length > 1;
    const warning = " Another bench has other images or other indicators: never compare across them.";
    this.parts["bench-about"].textContent = this.bench.about + (several ? warning : "");
    drawControls(this.parts.controls, this);
  }

  drawVerdict() {
    const { lead, doubt } = this.isOther ? verdictOf(this.cells, this.bench.digits) : this.bench.verdict;
    const cost = this.leaderCost();
    this.parts.verdict.replaceChildren(
      make("span", "lead-line", lead),
      make("span", "doubt-line", doubt),
      ...(cost ? [make("span", "cost-line", cost)] : []),
    );
    this.parts.verdict.hidden = !lead;
    this.leader.show(this.cells.request?.[this.leading()], this.modes(), this.content);
  }

  modes() {
    const there = new Set(this.bench.columns.map(({ key }) => key));
    return ["full", "image", "pixel", "text"].filter((mode) => there.has(`${mode}_fr`));
  }

  // Which row leads; -1 on a board whose rows spend different rates.
  leading() {
    return this.track === "codec" ? -1 : this.cells.rank.indexOf(1);
  }

  // What the leader's files and its decoding cost, in the board's richest mode.
  leaderCost() {
    const leading = this.leading();
    const mode = this.modes()[0];
    const rate = this.cells[`${mode}_rate`]?.[leading];
    if (!rate) return "";
    const seconds = this.cells[`${mode}_decode_seconds`]?.[leading];
    const time = seconds >= 0.01 ? `, ${seconds.toFixed(seconds < 10 ? 2 : 1)} s to decode one` : "";
    const ratio = Math.round(24 / rate).toLocaleString("en");
    return `In ${mode} mode its files take ${rate.toFixed(4)} bits per pixel, ${ratio} times less than raw pixels${time}.`;
  }

  drawHead() {
    if (!this.bench) return;
    this.drawVerdict();
    const groups = make("tr", "groups");
    const titles = make("tr", "titles");
    let last = null;
    this.columns.forEach((column, index) => {
      const starts = column.group !== (this.columns[index - 1]?.group ?? "");
      if (index && !starts && column.group) {
        last.colSpan += 1;
      } else {
        last = make(column.group ? "th" : "td", `kind-${column.kind}`, column.group);
        if (column.group) last.scope = "colgroup";
        groups.append(last);
      }
      const cell = this.headCell(column);
      if (column.group && starts) [cell, last].forEach((node) => node.classList.add("starts"));
      titles.append(cell);
    });
    const widths = this.columns.map((column) => widthOf(column, NARROW.matches));
    const grouped = this.columns.some((column) => column.group);
    this.table.setHead(grouped ? [groups, titles] : [titles], widths);
  }

  sorting() {
    const text = state.get("sort", "rank");
    const key = text.replace(/^-/, "");
    return this.columns.some((column) => column.key === key)
      ? { key, ascending: !text.startsWith("-") }
      : { key: "rank", ascending: true };
  }

  headCell(column) {
    const { key, ascending } = this.sorting();
    const sorted = column.key === key;
    const cell = make("th", `kind-${column.kind}`);
    cell.scope = "col";
    cell.setAttribute("aria-sort", sorted ? (ascending ? "ascending" : "descending") : "none");
    const press = make("button", "", column.title);
    press.type = "button";
    press.title = column.tooltip;
    press.dataset.key = press.dataset.keep = column.key;
    const arrow = make("span", "arrow", sorted ? (ascending ? "▲" : "▼") : "");
    arrow.setAttribute("aria-hidden", "true");
    press.append(arrow);
    press.addEventListener("click", () => {
      const up = sorted ? !ascending : !column.higher_is_better;
      const value = column.key === "rank" && up ? "" : `${up ? "" : "-"}${column.key}`;
      state.set({ sort: value });
    });
    cell.append(press);
    return cell;
  }

  drawRows() {
    const { key, ascending } = this.sorting();
    const values = this.cells[key];
    const kept = keptRows(this.bench, this.cells);
    const pinned = new Uint8Array(values.length);
    if (this.pins.size) for (const i of kept) pinned[i] = isPinned(this.pins, this.cells, i) ? 1 : 0;
    sortRows(kept, values, ascending, pinned);
    this.order = kept;
    this.table.setRows(kept);
    const hidden = this.bench.count - kept.length;
    const said = [
      hidden ? `${hidden} ${hidden === 1 ? "row does" : "rows do"} not match the filters.` : "",
      kept.length ? this.bench.note : "No row is left; take a filter back.",
    ];
    announce(this.parts.note, said.join(" ").trim());
  }

  rangeOf(column) {
    if (!this.ranges.has(column.key)) {
      let [low, high] = [Infinity, -Infinity];
      for (const value of this.cells[column.key] ?? []) {
        if (typeof value !== "number") continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      this.ranges.set(column.key, { low, high, best: column.higher_is_better ? high : low });
    }
    return this.ranges.get(column.key);
  }

  drawRow(index) {
    const { cells } = this;
    const pinned = isPinned(this.pins, cells, index);
    const line = make("tr", cells.rank[index] === null ? "unranked" : "");
    if (pinned) line.classList.add("pinned");
    if (cells.rank[index] === 1) line.classList.add("first");
    const end = (name) => (this.isOther ? null : cells[name]?.[index]);
    const row = {
      digits: this.bench.digits,
      ranges: this.ranges,
      name: cells.model[index],
      lacks: cells.lacks[index],
      flags: cells.flags?.[index] ?? "",
      cautions: cells.cautions?.[index] ?? "",
      partner: this.bench.partner ? "" : (cells.partner?.[index] ?? ""),
      interval: end("overall_low") != null ? [end("overall_low"), end("overall_high")] : null,
      ranks: end("rank_low") != null ? [end("rank_low"), end("rank_high")] : null,
      note: (name) => cells[`${name}_note`]?.[index] ?? "",
      pinned,
      pin: () => togglePin(this.pins, cells, index),
      open: () => openRow(this, index),
    };
    this.columns.forEach((column, place) => {
      if (typeof cells[column.key]?.[index] === "number") this.rangeOf(column);
      const cell = drawCell(column, cells[column.key]?.[index] ?? null, row);
      if (column.group && column.group !== this.columns[place - 1]?.group) cell.classList.add("starts");
      line.append(cell);
    });
    return line;
  }

  // The shown rows with the shown columns; the partner that stands below a model's name is one too.
  shownRows() {
    const columns = this.columns.map(({ key }) => key);
    const below = !this.bench.partner && !columns.includes("partner") && this.cells.partner ? ["partner"] : [];
    const keys = columns.flatMap((key) => (key === "model" ? [key, ...below] : [key]));
    const records = this.order.map((index) =>
      Object.fromEntries(keys.map((key) => [key, this.cells[key]?.[index] ?? null])),
    );
    return { keys, records };
  }
}

function lowerBound(sortedDown, value) {
  let [low, high] = [0, sortedDown.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sortedDown[middle] > value + 1e-12) low = middle + 1;
    else high = middle;
  }
  return low;
}
