const root = element.querySelector(".rating");
const find = (selector) => root.querySelector(selector);
const words = props.value.words;
const high = props.value.high;
let view = null;
let active = "consistency";
let waiting = 0;
let sent = Promise.resolve();

for (const field of root.querySelectorAll("fieldset")) {
  const output = document.createElement("output");
  const range = document.createElement("input");
  Object.assign(range, { type: "range", min: 0, max: high, step: 0.1, value: high / 2 });
  range.setAttribute("aria-label", field.dataset.dimension);
  const line = document.createElement("div");
  line.className = "words";
  for (const word of words) line.append(Object.assign(document.createElement("b"), { textContent: word }));
  field.append(output, range, line);
  // While it moves only the number follows; what counts is where it is let go.
  range.addEventListener("input", () => mark(field, Number(range.value)));
  range.addEventListener("change", () => give(field.dataset.dimension, Number(range.value)));
  // Letting it go where it stood, in the middle, changes nothing and is an answer too.
  range.addEventListener("click", () => {
    if (view && !(field.dataset.dimension in view.given)) give(field.dataset.dimension, Number(range.value));
  });
  field.addEventListener("pointerdown", () => activate(field.dataset.dimension));
  range.addEventListener("focus", () => activate(field.dataset.dimension));
}

function fieldOf(dimension) { return find(`fieldset[data-dimension="${dimension}"]`); }

function activate(dimension) {
  active = dimension;
  for (const field of root.querySelectorAll("fieldset")) {
    field.classList.toggle("active", field.dataset.dimension === dimension);
  }
}

function mark(field, value) {
  field.classList.toggle("unset", value === null);
  field.querySelector("output").textContent = value === null ? "" : value.toFixed(1);
  const on = value === null ? -1 : Math.min(Math.floor(value), words.length - 1);
  field.querySelectorAll(".words b").forEach((word, at) => word.classList.toggle("on", at === on));
  field.querySelector("input").value = value === null ? high / 2 : value;
}

async function give(dimension, value) {
  const seen = view;
  if (seen === null || seen.state !== "rate") return;
  if (dimension === "nsfw") find(".nsfw").setAttribute("aria-pressed", String(value === 1));
  else mark(fieldOf(dimension), value);
  seen.given[dimension] = value;
  find(".next").disabled = true;
  find(".saved").textContent = "";
  waiting += 1;
  // One after the other: of two answers to one question the later must be written later.
  sent = sent.then(() => stubborn(() => server.save({ viewer: seen.viewer, picture: seen.picture, dimension, rating: value }), "not saved yet, trying again"));
  await sent;
  waiting -= 1;
  if (waiting === 0) {
    find(".saved").textContent = "saved";
    find(".next").disabled = !isComplete();
  }
}

function isComplete() {
  return view !== null && view.state === "rate" && "consistency" in view.given && "perception" in view.given;
}

// A server that is away comes back; what was given is sent until it is acknowledged.
async function stubborn(call, meanwhile) {
  for (;;) {
    try {
      const answer = await call();
      if (answer && !answer.problem) {
        find(".saved").classList.remove("failing");
        return answer;
      }
      tell(answer && answer.problem ? answer.problem : meanwhile);
    } catch {
      tell(meanwhile);
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

function tell(text) {
  find(".saved").classList.add("failing");
  find(view !== null && view.state === "rest" ? ".left" : ".saved").textContent = text;
}

function ask(viewer) {
  return stubborn(() => server.show({ viewer }), "the server does not answer, trying again");
}

async function next() {
  const seen = view;
  if (!isComplete()) return;
  // Enter may be quicker than the disk.
  await sent;
  if (waiting > 0 || view !== seen) return;
  const viewer = seen.viewer;
  view = null;
  find(".next").disabled = true;
  show(await ask(viewer));
}

function show(answer) {
  view = answer;
  for (const name of ["enter", "rate", "rest", "finished"]) find(`.${name}`).hidden = name !== answer.state;
  root.dataset.state = answer.state;
  if (answer.state === "rest") rest(answer);
  if (answer.state !== "rate") return;
  root.dataset.picture = answer.picture;
  find(".distorted").src = answer.distorted;
  find(".reference").src = answer.reference;
  const group = answer.groups > 1 ? `, group ${answer.group} of ${answer.groups}` : "";
  find(".progress").textContent = `${answer.done} of ${answer.total} rated${group}`;
  find(".saved").textContent = "";
  for (const field of root.querySelectorAll("fieldset")) {
    const given = answer.given[field.dataset.dimension];
    mark(field, given === undefined ? null : given);
  }
  find(".nsfw").setAttribute("aria-pressed", String(answer.given.nsfw === 1));
  find(".next").disabled = !isComplete();
  activate("consistency" in answer.given ? "perception" : "consistency");
}

function rest(answer) {
  const end = Date.now() + 1000 * answer.seconds;
  const go = find(".go");
  go.disabled = true;
  const tick = () => {
    if (view !== answer) return;
    const left = Math.ceil((end - Date.now()) / 1000);
    find(".left").textContent = left > 0
      ? `${answer.done} of ${answer.total} pictures are rated. Look at something far away; you can go on in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.`
      : "You can go on.";
    go.disabled = left > 0;
    if (left > 0) setTimeout(tick, 500);
  };
  tick();
}

find(".go").addEventListener("click", async () => {
  find(".go").disabled = true;
  show(await ask(view.viewer));
});
find(".next").addEventListener("click", next);
find(".nsfw").addEventListener("click", () => { if (view) give("nsfw", view.given.nsfw === 1 ? 0 : 1); });

find(".enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const entry = { name: form.elements.name.value, agrees: form.elements.agrees.checked };
  try {
    const answer = await server.enter(entry);
    find(".problem").textContent = answer.problem || "";
    if (!answer.problem) {
      document.activeElement.blur();
      show(answer);
    }
  } catch {
    find(".problem").textContent = "The server does not answer; try again in a moment.";
  }
});

document.addEventListener("keydown", (event) => {
  if (view === null || view.state !== "rate" || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  if (/^[0-9]$/.test(key) && Number(key) <= high) {
    const given = active;
    give(given, Number(key));
    if (given === "consistency" && !("perception" in view.given)) activate("perception");
  } else if (key === "ArrowLeft" || key === "ArrowRight") {
    const now = view.given[active] ?? high / 2;
    const moved = Math.round(10 * now + (key === "ArrowRight" ? 1 : -1)) / 10;
    give(active, Math.min(high, Math.max(0, moved)));
  } else if (key === "Tab") {
    activate(active === "consistency" ? "perception" : "consistency");
  } else if (key === "f" || key === "F") {
    give("nsfw", view.given.nsfw === 1 ? 0 : 1);
  } else if (key === "Enter") {
    next();
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}, true);
