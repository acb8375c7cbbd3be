// Nodes. Everything that a person typed reaches the page through textContent only.

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== "") node.textContent = text;
  return node;
}

// Text that is read out when it changes, and so is touched only then.
export function announce(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function button(className, text, press, title = "") {
  const node = make("button", className, text);
  node.type = "button";
  if (title) node.title = title;
  node.addEventListener("click", press);
  return node;
}

// A stranger's text: isolated, so that right-to-left marks in it turn nothing around it.
export function named(className, text) {
  const node = make("bdi", className, text);
  node.title = text;
  return node;
}

// A system's label in its parts: OWNER/NAME (settings); a setting may hold slashes, an address does.
export function labelParts(value) {
  const [, whole, settings] = /^(.+?) \(([^()]+)\)$/.exec(value) ?? [null, value, ""];
  const cut = whole.lastIndexOf("/");
  const owner = cut > 0 ? whole.slice(0, cut) : "";
  return { owner, name: whole.slice(cut > 0 ? cut + 1 : 0), settings };
}

// A model's own name, and above it in small print its owner: the model is what tells rows apart.
export function nameLines(value) {
  const { owner, name, settings } = labelParts(value);
  const lines = named("name-lines", "");
  lines.title = value;
  if (owner) lines.append(make("small", "owner", owner));
  lines.append(make("span", "own", settings ? `${name} (${settings})` : name));
  return lines;
}

// A row of buttons of which one is pressed.
export function choice(label, options, current, choose) {
  const box = make("div", "choice");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", label);
  for (const { key, text, tag, title, disabled } of options) {
    const node = button("", text, () => choose(key), title);
    node.dataset.key = key;
    node.dataset.keep = `${label} ${key}`;
    node.disabled = Boolean(disabled);
    node.setAttribute("aria-pressed", String(key === current));
    // With a space between: a screen reader reads both as one name.
    if (tag) node.append(" ", make("span", "tag", tag));
    box.append(node);
  }
  return box;
}

// A drop-down with a label in front of it.
export function picker(label, options, current, choose) {
  const box = make("label", "picker");
  const list = make("select");
  list.dataset.keep = label;
  for (const { key, text } of options) {
    const option = make("option", "", text);
    option.value = key;
    option.selected = key === current;
    list.append(option);
  }
  list.addEventListener("change", () => choose(list.value));
  box.append(make("span", "", label), list);
  return box;
}

// A button that opens a panel below it; closes with Escape, with a press elsewhere, and when the
// focus goes elsewhere: it would cover what has it next.
export function popover(label, className, fill) {
  const box = make("details", `popover ${className}`);
  const summary = make("summary", "tool", label);
  const panel = make("div", "panel");
  box.dataset.keep = summary.dataset.keep = className;
  // A press between its controls leaves the focus inside.
  panel.tabIndex = -1;
  box.append(summary, panel);
  box.addEventListener("toggle", () => {
    if (box.open && !panel.hasChildNodes()) fill(panel);
  });
  box.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next && !box.contains(next)) box.open = false;
  });
  return box;
}

function openPopovers() {
  return document.querySelectorAll("details.popover[open]");
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of openPopovers()) {
    box.open = false;
    box.querySelector("summary").focus();
  }
});

// Before the press does anything: what was pressed may be replaced by what it changes.
document.addEventListener("click", (event) => {
  for (const box of openPopovers()) if (!box.contains(event.target)) box.open = false;
}, { capture: true });

export function checkbox(text, checked, change) {
  const label = make("label", "check");
  const box = make("input");
  box.type = "checkbox";
  box.dataset.keep = text;
  box.checked = checked;
  box.addEventListener("change", () => change(box.checked));
  label.append(box, make("span", "", text));
  return label;
}

// A time of today by the clock, another with its day; in the reader's own time zone.
export function clock(iso) {
  const when = new Date(iso);
  if (!iso || Number.isNaN(when.getTime())) return "a while ago";
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday ? time : `${when.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

// Says what did not come; why, each browser says in words of its own, for who writes pages.
export function unanswered(text) {
  return (cause) => {
    throw new Error(text, { cause });
  };
}

const fetched = new Map();

// A file of the site, fetched once; a failure is not kept.
export function load(path) {
  if (!fetched.has(path)) {
    const answer = fetch(path).then((response) => {
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    }, unanswered("the server does not answer"));
    answer.catch(() => fetched.delete(path));
    fetched.set(path, answer);
  }
  return fetched.get(path);
}

export function forget() {
  fetched.clear();
}
