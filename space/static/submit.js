// How a system gets in. A static copy of the page has no server: there the command line is the way.

import { load, make } from "./dom.js";

export async function open(box, site) {
  const heading = make("h2", "title", "Submit a system");
  box.classList.add("prose");
  box.append(heading, commandLine());
  if (site.can_submit) {
    const { addForm } = await import("./form.js");
    await addForm(box, load);
  } else {
    box.append(make("p", "about", "This is a copy of the page without a server, so there is no form here."));
  }
  return { update() {} };
}

function commandLine() {
  const box = make("div");
  box.append(
    make("p", "about", "From the command line, with the same checks as here:"),
    make("pre", "", "cmc submit --i2t transformers:OWNER/MODEL --t2i diffusers:OWNER/MODEL --role T2I --images DIR"),
  );
  return box;
}
