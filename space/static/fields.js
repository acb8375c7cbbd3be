// The fields of the form. A system is one line, as on the command line; the fields of its settings
// read that line and write into it, so there is nothing besides it.

import { choice, make } from "./dom.js";

let count = 0;

export function field(title, node, hint = "") {
  const box = make("div", "row");
  const label = make("label", "", title);
  node.id ||= `field-${(count += 1)}`;
  label.htmlFor = node.id;
  box.append(label, node);
  if (hint) {
    const note = make("p", "hint", hint);
    note.id = `${node.id}-hint`;
    node.setAttribute("aria-describedby", note.id);
    box.append(note);
  }
  return box;
}

export function textInput(value, change, { most = 0, placeholder = "", list = "", area = false } = {}) {
  const node = make(area ? "textarea" : "input", "field");
  node.value = value;
  node.autocomplete = "off";
  node.spellcheck = false;
  if (most) node.maxLength = most;
  if (area) node.rows = 2;
  if (placeholder) node.placeholder = placeholder;
  if (list) node.setAttribute("list", list);
  node.addEventListener("input", () => change(node.value));
  return node;
}

export function select(options, value, change) {
  const node = make("select");
  for (const [key, text] of options) {
    const option = make("option", "", text);
    option.value = key;
    option.selected = key === value;
    node.append(option);
  }
  node.addEventListener("change", () => change(node.value));
  return node;
}

function splitLine(line) {
  const at = line.indexOf("?");
  if (at < 0) return { base: line, settings: new Map() };
  const parts = line.slice(at + 1).split("&").filter(Boolean);
  const pairs = parts.map((part) => {
    const equals = part.indexOf("=");
    return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
  });
  return { base: line.slice(0, at), settings: new Map(pairs) };
}

function joinLine(base, settings) {
  const behind = [...settings].map(([name, value]) => `${name}=${value}`).join("&");
  return behind ? `${base}?${behind}` : base;
}

// The adapter that a line names, by itself or by a name that stands for it; "" where none is known.
function adapterOf(line, state) {
  const { base } = splitLine(line.trim());
  if (base in state.known) return "";
  const name = base.split("@")[0];
  const named = Object.entries(state.named).find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (named) return named[1].adapter;
  const adapter = base.split(":")[0].replaceAll("_", "-");
  return adapter in state.adapters ? adapter : "";
}

// A system's line with the settings that its adapter takes.
export function systemField(half, title, hint, form, state, changed) {
  const box = make("div", "system");
  const list = make("datalist");
  list.id = `systems-${half}`;
  for (const [name, { half: its }] of [...Object.entries(state.known), ...Object.entries(state.named)]) {
    if (its !== half) continue;
    const option = make("option");
    option.value = name;
    list.append(option);
  }
  const settings = make("details", "settings");
  const line = textInput(form[half], (value) => take(value), { most: state.longest[half], list: list.id });
  line.name = half;
  let adapter = null;
  const take = (value) => {
    form[half] = value;
    const now = adapterOf(value, state);
    if (now !== adapter) {
      adapter = now;
      drawSettings(settings, adapter, state, () => line.value, write);
    }
    changed();
  };
  const write = (name, value) => {
    const { base, settings: chosen } = splitLine(line.value.trim());
    if (value === "") chosen.delete(name);
    else chosen.set(name, value);
    line.value = joinLine(base, chosen);
    take(line.value);
  };
  box.append(field(title, line, hint), list, settings);
  adapter = adapterOf(form[half], state);
  drawSettings(settings, adapter, state, () => line.value, write);
  return box;
}

function drawSettings(box, adapter, state, line, write) {
  const table = Object.entries(state.adapters[adapter] ?? {});
  box.hidden = !table.length;
  const fields = make("div", "setting-fields");
  for (const [name, setting] of table) {
    const value = splitLine(line()).settings.get(name) ?? "";
    const standard = setting.default === null || setting.default === "" ? "standard" : String(setting.default);
    const values = typeof setting.default === "boolean" ? ["true", "false"] : setting.choices.filter(Boolean);
    const change = (typed) => write(name, typed);
    const node = values.length
      ? select([["", `standard${standard === "standard" ? "" : ` (${standard})`}`], ...values.map((v) => [v, v])], value, change)
      : textInput(value, change, { placeholder: standard });
    if (typeof setting.default === "number" || setting.default === null) node.inputMode = "decimal";
    node.name = name;
    fields.append(field(name, node, setting.hint));
  }
  const title = make("summary", "", `Settings of ${adapter}`);
  box.replaceChildren(title, fields);
}

// A caption file instead of an I2T model: read here, checked there.
export function captionFile(form, changed) {
  const node = make("input", "file");
  node.type = "file";
  node.accept = ".csv,.jsonl";
  node.addEventListener("change", async () => {
    const [file] = node.files;
    form.captions = "";
    form.captions_name = file?.name ?? "";
    form.captions_bytes = file?.size ?? 0;
    if (file && file.size <= 1 << 20) form.captions = await base64(file);
    changed();
  });
  return field("Caption file", node, "CSV with the columns name and text, a line for each picture; or the same as JSON lines. At most 1 MiB.");
}

function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}

// Which modes are asked for; all of them unless some are taken away.
export function modeField(form, state, changed) {
  const box = make("fieldset", "modes");
  const title = make("legend", "", "Modes");
  const draw = () => {
    const there = state.modes[form.role];
    const asked = new Set(form.modes ? form.modes.split(",") : there);
    box.replaceChildren(title);
    for (const mode of there) {
      const label = make("label", "check");
      const node = make("input");
      node.type = "checkbox";
      node.checked = asked.has(mode);
      node.addEventListener("change", () => {
        if (node.checked) asked.add(mode);
        else asked.delete(mode);
        const all = there.every((one) => asked.has(one)) || !asked.size;
        form.modes = all ? "" : there.filter((one) => asked.has(one)).join(",");
        if (!asked.size) draw();
        changed();
      });
      label.append(node, make("span", "", mode));
      box.append(label);
    }
    box.append(make("p", "hint", "All that the T2I model can do, unless you choose some of them."));
  };
  draw();
  return { box, draw };
}

export function roleField(form, choose) {
  const box = make("div", "row");
  const options = [
    { key: "T2I", text: "T2I model" },
    { key: "I2T", text: "I2T model" },
  ];
  const draw = () => {
    const group = choice("Compared is", options, form.role, (key) => {
      form.role = key;
      draw();
      choose();
    });
    box.replaceChildren(make("span", "label", "Compared is the"), group);
  };
  draw();
  return box;
}
