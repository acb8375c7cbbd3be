// What changed between two boards: rows that came, left and moved, and why as far as records say.

import { choice, load, make, named, nameLines, picker } from "./dom.js";
import { downloadMenu, fileLink } from "./download.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

const LIVE = "live";
const MOST = 300;
const DIGITS = 4;
const TITLES = ["", "System", "Rank", "Overall", "Difference", "Why", "By", "When"];

export async function open(box, site) {
  return { update: () => draw(box, site) };
}

function namesOf(site) {
  return [...site.snapshots.map(({ label }) => label), LIVE];
}

// The two boards, the earlier one first.
function chosenPair(site) {
  const names = namesOf(site);
  const place = (name, otherwise) => (names.includes(name) ? names.indexOf(name) : otherwise);
  const from = place(state.get("from"), Math.max(0, names.length - 2));
  const to = place(state.get("to"), names.length - 1);
  return [Math.min(from, to), Math.max(from, to)].map((index) => names[index]);
}

async function draw(box, site) {
  const [from, to] = chosenPair(site);
  const slug = (label) => label.replaceAll("/", "~");
  const stem = `data/changes/${[from, to].map(slug).map(encodeURIComponent).join("..")}`;
  const changes = await load(`${stem}.json`);
  const [stillFrom, stillTo] = chosenPair(site);
  if (stillFrom !== from || stillTo !== to) return;
  const content = state.get("content") in site.contents ? state.get("content") : "all";
  const there = changes.tables.filter((table) => (table.content ?? "all") === content);
  const track = chosenTrack(site, there);
  const tables = there.filter((table) => table.track === track);
  const table = chosenTable(tables);
  const controls = make("div", "controls");
  controls.append(...boardPickers(site, from, to), trackPicker(site, there, track));
  controls.append(...benchPickers(tables, table, from === to), contentChoice(site, content));
  const tools = make("div", "tools");
  tools.append(
    downloadMenu(`cmc-bench-changes-${slug(from)}-${slug(to)}`, () => ({ records: records(table) }), [
      { text: "CSV", path: `${stem}.csv` },
      { text: "JSON", path: `${stem}.json` },
    ], "All boards"),
  );
  controls.append(tools);
  redraw(
    box,
    make("h2", "title", from === to ? "One bench beside another" : "What changed, and why"),
    about(from, to, changes),
    controls,
    ...(table ? tableNodes(table) : [make("p", "empty", nothing(from, to))]),
    manifestLine(),
  );
}

function nothing(from, to) {
  if (from !== to) return "No row of this board came, left or moved.";
  return from === LIVE && state.get("from") !== LIVE
    ? "No board has been frozen yet, and no two benches have a system in common."
    : "No two benches of this board have a system in common.";
}

function about(from, to, changes) {
  const line = make("p", "about");
  const link = (name, at) => {
    const node = make("a");
    node.href = state.queryFor({ view: changes.tables[0]?.track, as_of: name === LIVE ? "" : name });
    node.append(named("", name === LIVE ? "the live board" : `${name} (${at.slice(0, 10)})`));
    return node;
  };
  if (from === to) line.append("The benches of ", link(from, changes.at_before), " for the same systems.");
  else line.append("From ", link(from, changes.at_before), " to ", link(to, changes.at_after), ".");
  return line;
}

function chosenTrack(site, tables) {
  const tracks = site.tracks.map(({ key }) => key);
  const asked = state.get("track");
  if (tracks.includes(asked)) return asked;
  return tables[0]?.track ?? tracks[0];
}

function chosenTable(tables) {
  const bench = state.get("bench");
  const other = state.get("to_bench");
  return (
    tables.find((one) => one.bench_before === bench && (!other || one.bench_after === other)) ??
    tables.find((one) => one.bench_before === bench) ??
    tables[0]
  );
}

function boardPickers(site, from, to) {
  const options = namesOf(site).map((key) => ({ key, text: key === LIVE ? "now" : key })).reverse();
  const fresh = { bench: null, to_bench: null };
  return [
    picker("From", options, from, (key) => state.set({ ...fresh, from: key, to })),
    picker("To", options, to, (key) => state.set({ ...fresh, from, to: key })),
  ];
}

function trackPicker(site, tables, track) {
  const count = (key) =>
    tables.filter((one) => one.track === key).reduce((sum, one) => sum + one.changes.length, 0);
  const options = site.tracks.map(({ key, tab }) => ({
    key,
    text: count(key) ? `${tab} · ${count(key)}` : tab,
  }));
  return picker("Board", options, track, (key) => state.set({ track: key, bench: null, to_bench: null }));
}

function benchPickers(tables, table, isOneBoard) {
  if (tables.length < 2) return [];
  const options = (list) => [...new Set(list)].map((key) => ({ key, text: key }));
  const first = picker("Bench", options(tables.map((one) => one.bench_before)), table.bench_before, (key) =>
    state.set({ bench: key, to_bench: null }),
  );
  if (!isOneBoard) return [first];
  const others = tables.filter((one) => one.bench_before === table.bench_before);
  const second = picker("Beside", options(others.map((one) => one.bench_after)), table.bench_after, (key) =>
    state.set({ bench: table.bench_before, to_bench: key }),
  );
  return [first, second];
}

function contentChoice(site, content) {
  return choice(
    "Content of the images",
    Object.entries(site.contents).map(([key, [text, title]]) => ({ key, text, title })),
    content,
    (key) => state.set({ content: key === "all" ? null : key }),
  );
}

function tableNodes(table) {
  const benches = [...new Set([table.bench_before, table.bench_after])];
  const scroll = make("div", "scroll plain changes");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "What changed");
  const grid = make("table");
  const head = make("tr");
  for (const title of TITLES) {
    const cell = make(title ? "th" : "td", "", title);
    if (title) cell.scope = "col";
    head.append(cell);
  }
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  body.append(...table.changes.slice(0, MOST).map(line));
  grid.append(top, body);
  scroll.append(grid);
  const hidden = table.changes.length - MOST;
  const notes = [
    hidden > 0 ? `${hidden} more rows are in the download.` : "",
    table.same ? `${table.same} ${table.same === 1 ? "row is" : "rows are"} as before.` : "",
  ];
  const name = make("h3", "section-title");
  name.append(named("", benches.join(" → ")));
  return [name, scroll, make("p", "note", notes.filter(Boolean).join(" "))];
}

function line(change) {
  const row = make("tr", `change-${change.kind}`);
  const name = make("th");
  name.scope = "row";
  name.append(nameLines(change.model));
  if (change.partner) name.append(named("partner", `with ${change.partner}`));
  const why = make("td", "why");
  why.append(named("", change.why));
  row.append(
    make("td", "kind", change.kind),
    name,
    make("td", "", step(change.rank_before, change.rank_after, String)),
    overall(change),
    make("td", "", change.difference === null ? "" : signed(change.difference)),
    why,
    textCell(change.by),
    make("td", "", change.at.slice(0, 10)),
  );
  return row;
}

function overall(change) {
  const score = (value) => value.toFixed(DIGITS);
  const cell = make("td", "", step(change.overall_before, change.overall_after, score));
  const ends = (interval) => (interval.length ? interval.map(score).join(" to ") : "none");
  const [before, after] = [ends(change.interval_before), ends(change.interval_after)];
  if (before !== after && change.kind === "moved") cell.append(make("small", "", `interval ${before} → ${after}`));
  return cell;
}

function textCell(text) {
  const cell = make("td");
  cell.append(named("", text));
  return cell;
}

function step(before, after, text) {
  const shown = (value) => (value === null ? "–" : text(value));
  return shown(before) === shown(after) ? shown(after) : `${shown(before)} → ${shown(after)}`;
}

function signed(value) {
  const size = Math.abs(value).toFixed(DIGITS);
  return Number(size) === 0 ? "0" : `${value < 0 ? "−" : "+"}${size}`;
}

function records(table) {
  return (table?.changes ?? []).map((change) => ({
    track: table.track,
    content: table.content ?? "all",
    bench_before: table.bench_before,
    bench_after: table.bench_after,
    ...change,
    interval_before: change.interval_before.join(" to "),
    interval_after: change.interval_after.join(" to "),
  }));
}

function manifestLine() {
  const note = make("p", "note", "What became of every row that was ever asked for: ");
  note.append(
    fileLink("", "manifest, CSV", "data/manifest.csv"), ", ",
    fileLink("", "JSON", "data/manifest.json"), ".",
  );
  return note;
}
