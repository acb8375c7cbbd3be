// Draws one board. Everything that a person typed reaches the page through textContent only.
// Gradio calls this file's text as a function body with (element, trigger, props, watch, ...).

const find = (name) => element.querySelector(`.${name}`);
const CONTENT_TITLES = {
  all: ["All", "All images"],
  NSI: ["NSI", "Natural scene images: photographs"],
  SCI: ["SCI", "Screen content images: films, games, screens"],
  AIGI: ["AIGI", "AI-generated images"],
};
const SOURCE_MARKS = { published: "¶", verified: "✓", "self-reported": "~" };
const SOURCE_TITLES = {
  published: "Printed by the authors of the benchmark; not run here",
  verified: "Run here, every picture encoded, decoded and scored",
  "self-reported": "Numbers that the submitter sent; not run here",
};
const NO_NUMBER = "–";
const chosen = { bench: null, content: "all", key: "rank", ascending: true, filter: "" };

function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== "") node.textContent = text;
  return node;
}

function benchShown() {
  const { benches } = props.value;
  return benches.find((bench) => bench.key === chosen.bench) ?? benches[0];
}

function drawSwitch(box, options, current, choose) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  box.replaceChildren();
  for (const { key, text, tag, title, disabled } of options) {
    const button = make("button", "", text);
    button.type = "button";
    button.dataset.key = key;
    button.title = title ?? "";
    button.disabled = Boolean(disabled);
    button.setAttribute("aria-pressed", String(key === current));
    if (tag) button.append(make("span", "tag", tag));
    button.addEventListener("click", () => choose(key));
    box.append(button);
    if (key === focused) button.focus();
  }
}

function change(choice) {
  Object.assign(chosen, choice);
  draw();
  trigger("select", { bench: benchShown().key, content: chosen.content });
}

function drawControls(bench) {
  find("benches").hidden = props.value.benches.length < 2;
  drawSwitch(
    find("benches"),
    props.value.benches.map(({ key, title, tag }) => ({ key, text: title, tag })),
    bench.key,
    (key) => change({ bench: key }),
  );
  drawSwitch(
    find("contents"),
    Object.entries(CONTENT_TITLES).map(([key, [text, title]]) => {
      const disabled = !bench.tables[key].lines.length;
      return { key, text, title: disabled ? `${title}: no scores` : title, disabled };
    }),
    chosen.content,
    (key) => change({ content: key }),
  );
}

function sortValue(line, key) {
  const texts = { rank: line.rank, model: line.model, source: line.source, request: line.request_id };
  const value = key in texts ? texts[key] : line.values[key];
  return value === undefined || value === "" ? null : value;
}

function compare(a, b) {
  const [left, right] = [sortValue(a, chosen.key), sortValue(b, chosen.key)];
  // What is missing is neither best nor worst: it stays last in both directions.
  if (left === null || right === null) return (left === null) - (right === null);
  const order = typeof left === "string" ? left.localeCompare(right) : left - right;
  return chosen.ascending ? order : -order;
}

function headerCell(column) {
  const cell = make("th", `kind-${column.kind}`);
  cell.scope = "col";
  const sorted = column.key === chosen.key;
  cell.setAttribute("aria-sort", sorted ? (chosen.ascending ? "ascending" : "descending") : "none");
  const button = make("button", "", column.title);
  button.type = "button";
  button.title = column.tooltip;
  button.dataset.key = column.key;
  const arrow = make("span", "arrow", sorted ? (chosen.ascending ? "▲" : "▼") : "");
  arrow.setAttribute("aria-hidden", "true");
  button.append(arrow);
  button.addEventListener("click", () => {
    chosen.ascending = sorted ? !chosen.ascending : !column.higher_is_better;
    chosen.key = column.key;
    draw();
    find("scroll").querySelector(`button[data-key="${column.key}"]`).focus();
  });
  cell.append(button);
  return cell;
}

function drawHead(columns) {
  const groups = make("tr", "groups");
  const titles = make("tr", "titles");
  let last = null;
  columns.forEach((column, index) => {
    const starts = column.group !== (columns[index - 1]?.group ?? "");
    if (index && !starts && column.group) {
      last.colSpan += 1;
    } else {
      last = make(column.group ? "th" : "td", `kind-${column.kind}`, column.group);
      if (column.group) last.scope = "colgroup";
      groups.append(last);
    }
    const cell = headerCell(column);
    if (column.group && starts) [cell, last].forEach((node) => node.classList.add("starts"));
    titles.append(cell);
  });
  element.querySelector("thead").replaceChildren(groups, titles);
}

function columnRange(lines, column) {
  const values = lines.map((line) => line.values[column.key]).filter((value) => value !== undefined);
  const low = Math.min(...values);
  const high = Math.max(...values);
  return { low, high, best: column.higher_is_better ? high : low, differ: low < high };
}

function sourceChip(source) {
  const chip = make("span", `chip source-${source}`, `${SOURCE_MARKS[source] ?? "?"} ${source}`);
  chip.title = SOURCE_TITLES[source] ?? "";
  return chip;
}

function modelCell(line) {
  const cell = make("th", "kind-model");
  cell.scope = "row";
  const name = make("span", "name");
  for (const piece of line.model.split(/(?<=[/_-])/)) name.append(piece, make("wbr"));
  name.title = line.model;
  cell.append(name);
  if (line.partner) cell.append(make("span", "partner", line.partner));
  if (line.lacks) cell.append(make("span", "chip lacks", line.lacks));
  return cell;
}

function ratio(bitsPerPixel) {
  return `${Math.round(24 / bitsPerPixel).toLocaleString("en")} : 1`;
}

function numberCell(column, value, range, digits) {
  const cell = make("td", `kind-${column.kind}`);
  if (value === undefined) {
    cell.append(make("span", "missing", NO_NUMBER));
    return cell;
  }
  const best = range.differ && value === range.best;
  cell.append(make(best ? "strong" : "span", "", value.toFixed(column.kind === "rate" ? 4 : digits)));
  if (column.kind === "rate") cell.append(make("span", "ratio", ratio(value)));
  if (column.kind === "overall" && range.differ) {
    const rail = make("span", "rail");
    const place = (value - range.low) / (range.high - range.low);
    rail.style.setProperty("--place", `${(100 * place).toFixed(1)}%`);
    rail.title = `Between ${range.low.toFixed(digits)} and ${range.high.toFixed(digits)} on this table`;
    cell.prepend(rail);
  }
  return cell;
}

function drawLine(line, columns, ranges, digits) {
  const row = make("tr", line.rank === null ? "unranked" : "");
  const special = {
    rank: () => make("td", "kind-rank", line.rank === null ? NO_NUMBER : String(line.rank)),
    model: () => modelCell(line),
    source: () => {
      const cell = make("td", "kind-source");
      cell.append(sourceChip(line.source));
      return cell;
    },
    request: () => {
      const cell = make("td", "kind-request", line.request_id.slice(0, 8) || NO_NUMBER);
      cell.title = line.request_id;
      return cell;
    },
  };
  for (const column of columns) {
    const value = line.values[column.key];
    const draws = special[column.kind];
    const cell = draws ? draws() : numberCell(column, value, ranges[column.key], digits);
    if (column.starts) cell.classList.add("starts");
    row.append(cell);
  }
  return row;
}

function drawBody(bench, table) {
  const ranges = {};
  bench.columns.forEach((column) => (ranges[column.key] = columnRange(table.lines, column)));
  const columns = bench.columns.map((column, index) => ({
    ...column,
    starts: column.group && column.group !== bench.columns[index - 1].group,
  }));
  const wanted = chosen.filter.toLowerCase();
  const lines = table.lines.filter((line) =>
    `${line.model} ${line.partner}`.toLowerCase().includes(wanted),
  );
  lines.sort(compare);
  const rows = lines.map((line) => drawLine(line, columns, ranges, table.digits));
  element.querySelector("tbody").replaceChildren(...rows);
  const hidden = table.lines.length - lines.length;
  find("note").textContent = [hidden ? `${hidden} rows do not match the filter.` : "", table.note]
    .join(" ")
    .trim();
}

function draw() {
  find("title").textContent = props.value.title;
  find("about").textContent = props.value.about;
  const bench = benchShown();
  if (!bench) return;
  if (!bench.tables[chosen.content].lines.length) chosen.content = "all";
  if (!bench.columns.some((column) => column.key === chosen.key)) {
    Object.assign(chosen, { key: "rank", ascending: true });
  }
  const several = props.value.benches.length > 1;
  const warning = " Another bench has other images or other indicators: never compare across them.";
  find("bench-about").textContent = bench.about + (several ? warning : "");
  drawControls(bench);
  drawHead(bench.columns);
  drawBody(bench, bench.tables[chosen.content]);
}

find("filter").addEventListener("input", (event) => {
  chosen.filter = event.target.value.trim();
  draw();
});
watch("value", draw);
draw();
