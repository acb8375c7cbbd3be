// How a system gets in. A static copy of the page has no server: there the command line is the way.

import { make } from "./dom.js";

export async function open(box, site) {
  const intro = make("p", "intro", "Your model stays where it is. The checks say at once what speaks against it; then a worker runs it, at the commit that the checks saw.");
  box.append(make("h2", "title", "Submit a system"), intro, commandLine(!site.can_submit));
  if (site.can_submit) {
    box.append(liveForm());
  } else {
    box.append(make("p", "about", "This is a copy of the page without a server, so there is no form here."));
  }
  return { update() {} };
}

// Just after its start the server answers pages alone: the form comes when it can.
function liveForm() {
  const box = make("div");
  const waiting = make("p", "about", "The form is on its way…");
  waiting.setAttribute("role", "status");
  box.append(waiting);
  import("./form.js")
    .then(({ addForm }) => addForm(box))
    .then(() => waiting.remove())
    .catch((error) => (waiting.textContent = `The form did not arrive: ${error.message}`));
  return box;
}

function commandLine(isOnlyWay) {
  const box = make("details", "terminal");
  box.open = isOnlyWay;
  box.append(
    make("summary", "", "From the command line, with the same checks"),
    make("pre", "", "cmc submit --i2t transformers:OWNER/MODEL --t2i diffusers:OWNER/MODEL --role T2I --images DIR\ncmc smoke  --i2t transformers:OWNER/MODEL --t2i diffusers:OWNER/MODEL --images DIR    # three pictures, on your machine"),
  );
  return box;
}
