// A glance at what the leading row paints: one image of each content, the original above it.

import { load, make } from "./dom.js";
import { readGallery } from "./pictures.js";
import * as state from "./state.js";

const MOST = 3;

export class Leader {
  constructor() {
    this.node = make("a", "leader");
    this.node.hidden = true;
    this.shown = "";
  }

  // Shows a request's pictures in the first of the modes that it has; nothing where there are none.
  async show(requestId, modes, content) {
    this.node.href = state.queryFor({ view: "pictures", systems: requestId });
    const wanted = `${requestId} ${modes} ${content}`;
    if (this.shown === wanted) return;
    this.shown = wanted;
    // After the first rows: nobody waits for pictures to read a table.
    const chosen = requestId ? await choose(requestId, modes, content).catch(() => []) : [];
    if (this.shown !== wanted) return;
    this.node.hidden = !chosen.length;
    if (!chosen.length) return;
    const { mode } = chosen[0];
    this.node.title = `What the leader painted in ${mode} mode; press for all its pictures`;
    const cells = [make("span", "leader-label", "original"), ...chosen.map((one) => img(one.original, `${one.content}, original`))];
    cells.push(make("span", "leader-label", "painted"), ...chosen.map((one) => img(one.decoded, `${one.content}, painted in ${mode} mode`)));
    this.node.style.setProperty("--images", String(chosen.length));
    this.node.replaceChildren(...cells);
  }
}

async function choose(requestId, modes, content) {
  const systems = await load("data/gallery.json");
  if (!systems.some(({ request_id: id }) => id === requestId)) return [];
  const pictures = (await readGallery(requestId)).filter(({ decoded }) => decoded);
  const mode = modes.find((one) => pictures.some((picture) => picture.mode === one));
  const shown = pictures.filter((one) => one.mode === mode && [one.content, "all"].includes(content));
  const first = [...new Map(shown.map((one) => [content === "all" ? one.content : one.name, one])).values()];
  return first.slice(0, MOST);
}

function img(source, text) {
  const node = make("img");
  node.src = source;
  node.alt = text;
  node.decoding = "async";
  return node;
}
