// What is made anew keeps what a reader has in hand: the focus, panels that are open, and parts that
// are as they were.

// What tells a control from its neighbours and is the same when it is made anew.
function keyOf(node) {
  const name = node.dataset.keep ?? node.getAttribute("aria-label") ?? (node.title || node.textContent);
  return `${node.tagName} ${name}`;
}

// Finds a node again, or the one that has come in its place; several of one key keep their order.
function finder(box, node) {
  const key = keyOf(node);
  const alike = () => [...box.querySelectorAll(node.tagName)].filter((other) => keyOf(other) === key);
  const at = alike().indexOf(node);
  return () => (box.contains(node) ? node : (alike()[at] ?? alike()[0]));
}

// Like replaceChildren. A part with `data-same` is not made anew while that says the same.
export function redraw(box, ...children) {
  const focused = focusIn(box);
  const panels = [...box.querySelectorAll("details[open]")].map(panelOf(box));
  const parts = [...box.querySelectorAll("[data-same]")];
  const old = new Map(parts.map((part) => [part.dataset.same, part]));
  box.replaceChildren(...children);
  for (const part of box.querySelectorAll("[data-same]")) {
    const before = old.get(part.dataset.same) ?? part;
    if (before !== part) part.replaceWith(before);
  }
  for (const unfold of panels) unfold();
  focused?.();
}

function panelOf(box) {
  return (details) => {
    const find = finder(box, details);
    const { scrollTop } = details.lastElementChild;
    return () => {
      const now = find();
      if (!now || now === details) return;
      now.open = true;
      // The browser tells of it later, and what was focused in the panel is wanted now.
      now.dispatchEvent(new Event("toggle"));
      now.lastElementChild.scrollTop = scrollTop;
    };
  };
}

// Returns how to bring back the focus that is inside a box.
function focusIn(box) {
  const node = document.activeElement;
  if (!box.contains(node) || node === box) return null;
  const find = finder(box, node);
  const { selectionStart: start, selectionEnd: end } = node;
  return () => {
    const now = find();
    if (!now) return;
    // It stands where it stood, so there is nothing to scroll to.
    now.focus({ preventScroll: true });
    if (typeof start === "number") now.setSelectionRange(start, end);
  };
}
