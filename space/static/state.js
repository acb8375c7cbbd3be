// What is chosen is what stands in the address: every view has a link, and a link is a view.

const chosen = new URLSearchParams(location.search);
const listeners = [];

const HUB = "https://huggingface.co";
const isFramedByHub =
  window.parent !== window && (location.ancestorOrigins?.[0] ?? new URL(document.referrer || location.href).origin) === HUB;

// In its frame the address that people see is the outer page's; told of a change, it follows.
function tellFrame() {
  if (isFramedByHub) window.parent.postMessage({ queryString: sharedQuery(), hash: "" }, HUB);
}

// The frame of a private Space is let in by a signature, which is its reader's alone.
function sharedQuery() {
  const query = new URLSearchParams(location.search);
  query.delete("__sign");
  return query.size ? `?${query}` : "";
}

// A name with nothing behind it asks for nothing.
export function get(name, otherwise = "") {
  return chosen.get(name) || otherwise;
}

export function getList(name) {
  return get(name) ? get(name).split(",").map(decoded) : [];
}

// A link that somebody typed may have a percent sign that means nothing; it stands for itself.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Changes choices and tells everyone; null or "" takes one back to what it is unasked.
export function set(changes, { quiet = false, newPage = false } = {}) {
  for (const [name, value] of Object.entries(changes)) {
    const text = Array.isArray(value) ? value.map(encodeURIComponent).join(",") : value;
    if (text === null || text === undefined || text === "") chosen.delete(name);
    else chosen.set(name, text);
  }
  const query = chosen.toString();
  const address = `${location.pathname}${query ? `?${query}` : ""}`;
  if (newPage) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  tellFrame();
  if (!quiet) listeners.forEach((tell) => tell(changes));
}

// The query that a link to another view has: what belongs to this one is left behind, and the theme
// and the frozen board stay.
export function queryFor(changes) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(changes)) if (value) query.set(name, value);
  for (const name of ["as_of", "__theme"]) {
    if (chosen.get(name) && !(name in changes)) query.set(name, chosen.get(name));
  }
  return `?${query}`;
}

// The address that a reader went to. One of before the choice of dark or light does not take it back.
export function replaceAll(query) {
  const theme = get("__theme");
  for (const name of [...chosen.keys()]) chosen.delete(name);
  for (const [name, value] of new URLSearchParams(query)) chosen.set(name, value);
  set({ __theme: get("__theme") || theme }, { quiet: true });
  listeners.forEach((tell) => tell({ view: get("view") }));
}

export function onChange(listener) {
  listeners.push(listener);
}

// Inside huggingface.co's frame the address that people see is the outer page's.
export function shareLink(spaceId) {
  const page = spaceId ? `${HUB}/spaces/${spaceId}` : location.origin + location.pathname;
  return page + sharedQuery();
}

window.addEventListener("popstate", () => replaceAll(location.search));
