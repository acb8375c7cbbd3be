// The rows that a reader has pinned: by request id as the page does it, or by the model's name, as a
// link on a model card does.

import * as state from "./state.js";

// A row's own key; a published row has no request.
export function rowKey(cells, index) {
  return cells.request?.[index] || cells.model[index];
}

export function isPinned(pins, cells, index) {
  return pins.has(cells.request?.[index]) || pins.has(cells.model[index]);
}

export function togglePin(pins, cells, index) {
  const isOn = isPinned(pins, cells, index);
  const others = [...pins].filter((pin) => pin !== cells.request?.[index] && pin !== cells.model[index]);
  state.set({ pin: isOn ? others : [...others, rowKey(cells, index)] });
}
