// A worker's log: text that is renewed where it stands.

import { make } from "./dom.js";

export function logText(text, label) {
  const node = make("pre", "log", text);
  node.tabIndex = 0;
  node.setAttribute("role", "region");
  node.setAttribute("aria-label", label);
  return node;
}

// What is shown beside a log: while none of it changes, the log alone is renewed.
const beside = ({ status, attempt, failure, smoke, is_mine: mine }) => JSON.stringify([status, attempt, failure, smoke, mine]);

export function addLog(box, entry) {
  const node = logText(entry.log, "The log's last lines");
  node.dataset.of = beside(entry);
  node.dataset.act = "log";
  box.append(node);
  // A log is read from its end, once it is seen.
  box.addEventListener("toggle", () => {
    if (box.open) node.scrollTop = node.scrollHeight;
  }, { once: true });
}

export function renewLog(box, entry) {
  const node = box.querySelector(".log[data-of]");
  if (!node || !entry.log || node.dataset.of !== beside(entry)) return false;
  if (node.textContent === entry.log) return true;
  const isAtEnd = node.scrollTop + node.clientHeight >= node.scrollHeight - 4;
  // The text node stays, so that a reader's selection in it does.
  node.firstChild.data = entry.log;
  if (isAtEnd) node.scrollTop = node.scrollHeight;
  return true;
}
