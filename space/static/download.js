// What a reader takes along: the shown rows as CSV or JSON, the whole board as files, a link.

import { button, make, popover } from "./dom.js";

export function save(name, type, text) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// A text that a spreadsheet would run as a formula gets a quote first.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv({ records, keys = Object.keys(records[0] ?? {}) }) {
  const lines = records.map((record) => keys.map((key) => csvCell(record[key])).join(","));
  return [keys.join(","), ...lines].join("\r\n");
}

// A link that saves a file of the site.
export function fileLink(className, text, path) {
  const link = make("a", className, text);
  link.href = path;
  link.download = `cmc-bench-${path.split("/").slice(2).join("-") || path.split("/").pop()}`;
  return link;
}

// The menu of a table: `rows` gives the rows as shown, as records and what their keys are where there
// are none; `files` are the board's own.
export function downloadMenu(stem, rows, files = [], whole = "The whole board") {
  return popover("Download", "download", (panel) => {
    panel.append(
      make("p", "panel-title", "Rows as shown"),
      button("entry", "CSV", () => save(`${stem}.csv`, "text/csv", toCsv(rows()))),
      button("entry", "JSON", () =>
        save(`${stem}.json`, "application/json", JSON.stringify(rows().records, null, 1)),
      ),
    );
    if (files.length) panel.append(make("p", "panel-title", whole));
    for (const { text, path } of files) panel.append(fileLink("entry", text, path));
  });
}

// A frame may not be allowed to use the clipboard; the older way works there, and if not, the
// link stands in a field, selected. A frame may open no prompt either.
export async function copyText(text, pressed) {
  const before = pressed.dataset.text ?? pressed.textContent;
  pressed.dataset.text = before;
  const done = (await copyNewWay(text)) || copyOldWay(text);
  if (done) {
    pressed.textContent = "Copied";
    setTimeout(() => (pressed.textContent = before), 1600);
  } else {
    offerText(text, pressed);
  }
}

function offerText(text, pressed) {
  const box = make("label", "offered");
  const field = make("input");
  field.readOnly = true;
  field.value = text;
  box.append(make("span", "", "This page may not copy. The link, selected:"), field);
  field.addEventListener("blur", () => box.remove());
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pressed.focus();
  });
  pressed.after(box);
  field.select();
}

async function copyNewWay(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function copyOldWay(text) {
  const field = make("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
