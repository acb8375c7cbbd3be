// One cell of a board, by the kind of its column.

import { labelParts, make, named } from "./dom.js";

const NO_VALUE = "–";
const SOURCES = {
  published: ["¶", "Printed by the authors of the benchmark; not run here"],
  verified: ["✓", "Run here, every picture encoded, decoded and scored; or by its submitter, and a random part again here"],
  "self-reported": ["~", "Numbers that the submitter sent; not run here"],
};
const WIDTHS = {
  rank: 64, model: null, source: 134, overall: 158, score: 102, rate: 88, ratio: 96, bits: 96,
  seconds: 96, count: 112, bytes: 112, truth: 72, share: 104, whole: 72, number: 128, percent: 124, date: 112, hash: 104, text: 170,
};

const NARROW_WIDTHS = { rank: 50, model: 164, overall: 128 };

export function widthOf(column, narrow) {
  if (narrow && column.kind in NARROW_WIDTHS) return NARROW_WIDTHS[column.kind];
  return column.kind in WIDTHS ? WIDTHS[column.kind] : 120;
}

// A number as a reader sees it; texts as they are.
export function shownText(column, value, digits) {
  if (value === null || value === undefined || value === "") return NO_VALUE;
  switch (column.kind) {
    case "overall":
    case "score":
      return value.toFixed(digits);
    case "rate":
      return value.toFixed(4);
    case "ratio":
      return Math.round(value).toLocaleString("en");
    case "bits":
      return Math.round(value).toLocaleString("en");
    case "seconds":
      return value < 10 ? value.toFixed(2) : value.toFixed(1);
    case "count":
      return shortCount(value);
    case "bytes":
      return `${(value / 2 ** 30).toFixed(value < 2 ** 30 ? 2 : 1)} GiB`;
    case "truth":
      return value ? "yes" : "no";
    case "share":
      return `${(100 * value).toFixed(1)} %`;
    case "percent":
      return `${value > 0 ? "+" : ""}${value.toFixed(1)} %`.replace("-", "−");
    case "date":
      return value.slice(0, 10);
    case "hash":
      return value.slice(0, 8);
    default:
      return String(value);
  }
}

function shortCount(value) {
  for (const [size, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${(value / size).toFixed(value >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return String(value);
}

export function drawCell(column, value, row) {
  const special = { model: modelCell, source: sourceCell, rank: rankCell }[column.kind];
  if (special) return special(value, row);
  const cell = make("td", `kind-${column.kind}`);
  const text = shownText(column, value, row.digits);
  if (text === NO_VALUE) {
    cell.append(make("span", "missing", text));
    cell.firstChild.title = row.note(column.key);
    return cell;
  }
  if (["text", "hash"].includes(column.kind)) {
    cell.append(named("", text));
    cell.firstChild.title = String(value);
    return cell;
  }
  const range = row.ranges.get(column.key);
  const best = range && range.low < range.high && value === range.best;
  cell.append(make(best ? "strong" : "span", "value", text));
  cell.firstChild.title = row.note(column.key);
  if (column.kind === "rate") cell.append(make("span", "second", ratio(value)));
  if (column.kind === "overall") decorateOverall(cell, value, range, row);
  return cell;
}

function ratio(bitsPerPixel) {
  return `${Math.round(24 / bitsPerPixel).toLocaleString("en")} : 1`;
}

function decorateOverall(cell, value, range, row) {
  if (row.interval) {
    const [low, high] = row.interval.map((end) => end.toFixed(row.digits));
    const second = make("span", "second", `${low} – ${high}`);
    second.title = "95 % interval over the images";
    cell.append(second);
  }
  if (!range || range.low >= range.high) return;
  const rail = make("span", "rail");
  const place = (at) => `${(100 * (at - range.low)) / (range.high - range.low)}%`;
  rail.style.setProperty("--place", place(value));
  rail.title = `Between ${range.low.toFixed(row.digits)} and ${range.high.toFixed(row.digits)} on this table`;
  cell.prepend(rail);
}

function rankCell(value, row) {
  const cell = make("td", "kind-rank");
  const text = value === null ? NO_VALUE : String(value);
  const pin = make("button", "pin", "◆");
  pin.type = "button";
  pin.setAttribute("aria-pressed", String(row.pinned));
  pin.setAttribute("aria-label", `Pin ${row.name.slice(0, 80)}`);
  pin.title = row.pinned ? "Unpin" : "Pin to the top";
  pin.addEventListener("click", row.pin);
  const number = make("span", "place", text);
  cell.append(pin, number);
  if (row.ranks && row.ranks[0] !== row.ranks[1]) {
    const second = make("span", "second", `${row.ranks[0]}–${row.ranks[1]}`);
    second.title = "Ranks that the differences to the other rows leave possible";
    cell.append(second);
  }
  return cell;
}

// The model's own name; below it in small print what there is to know of the row.
function modelCell(value, row) {
  const cell = make("th", "kind-model");
  cell.scope = "row";
  // Settings tell rows of one model apart, so they are not what an ellipsis takes away.
  const { owner, name: plain, settings } = labelParts(value);
  const name = make("button", "name");
  name.type = "button";
  name.append(named("", plain));
  name.firstChild.title = value;
  name.addEventListener("click", row.open);
  cell.append(name);
  const second = make("span", "second");
  // What casts doubt on a score is said before what is missing.
  const marks = (row.flags ? row.flags.split(", ") : []).map((flag) => {
    const chip = make("span", "chip caution", flag);
    chip.title = row.cautions;
    return chip;
  });
  if (row.lacks) marks.push(make("span", "chip lacks", row.lacks));
  // A narrow cell holds one mark and says how many more there are.
  if (marks.length > 1) marks[0].append(make("span", "more-marks", ` +${marks.length - 1}`));
  if (marks.length > 2) for (const mark of marks) mark.classList.add("many");
  second.append(...marks);
  const quiet = [settings, owner, row.partner].filter(Boolean);
  for (const text of quiet) second.append(named("partner", text));
  if (second.hasChildNodes()) cell.append(second);
  return cell;
}

function sourceCell(value) {
  const [mark, title] = SOURCES[value] ?? ["?", ""];
  const cell = make("td", "kind-source");
  const chip = make("span", `chip source-${value}`, `${mark} ${value}`);
  chip.title = title;
  cell.append(chip);
  return cell;
}
