// The form with its live checks. All rules are the server's.

import { button, choice, make, named } from "./dom.js";
import { captionFile, field, modeField, roleField, select, systemField, textInput } from "./fields.js";
import { addQueue } from "./queue.js";
import * as link from "./state.js";

const PAUSE = 500;
const KEPT_IN_LINK = ["role", "i2t", "t2i"];

export async function ask(action, form) {
  let answer;
  try {
    answer = await fetch(`intake/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CMC": "1" },
      body: JSON.stringify(form),
    });
  } catch {
    return { error: "this server does not answer; what you typed is still here" };
  }
  try {
    return await answer.json();
  } catch {
    return { error: `this server answered ${answer.status} and no more` };
  }
}

export async function addForm(box) {
  const answer = await fetch("intake/state", { cache: "no-store" });
  const state = await answer.json();
  if (state.error) {
    box.append(make("p", "about", `${state.error[0].toUpperCase()}${state.error.slice(1)}.`));
    return;
  }
  const queue = addQueue(ask);
  if (state.account) box.append(drawForm(state, queue));
  else if (state.can_sign_in) box.append(signIn());
  else box.append(make("p", "about", `${state.who_can}; everybody can follow the queue.`));
  box.append(queue.box);
  await queue.draw();
}

function signIn() {
  const box = make("div", "sign-in");
  const button = make("a", "tool primary", "Sign in with Hugging Face");
  button.href = "login/huggingface";
  // The frame of huggingface.co lets no other page in.
  button.target = "_blank";
  button.rel = "noopener";
  box.append(button, make("p", "hint", "Your name and nothing else is asked for. Come back to this tab afterwards and load it again."));
  return box;
}

function drawForm(state, queue) {
  const box = make("form", "form");
  box.addEventListener("submit", (event) => event.preventDefault());
  if (!state.benches.length) {
    const why = state.problem ? `The store does not answer: ${state.problem}` : "No bench is open yet: the store has no request about any pictures.";
    box.append(make("p", "about", why));
    return box;
  }
  const form = {
    role: link.get("role") === "I2T" ? "I2T" : "T2I",
    i2t: link.get("i2t"),
    t2i: link.get("t2i"),
    bench: state.benches[0],
    modes: "",
    gpu: "a100",
    captions: "",
    captions_name: "",
  };
  const verdict = drawVerdict(form, queue);
  const changed = () => {
    link.set(Object.fromEntries(KEPT_IN_LINK.map((name) => [name, form[name]])), { quiet: true });
    verdict.changed();
  };
  const modes = modeField(form, state, changed);
  const role = roleField(form, () => {
    form.modes = "";
    modes.draw();
    changed();
  });
  const gpus = state.gpus.map((name) => [name, name.toUpperCase()]);
  const gpu = select(gpus, form.gpu, (value) => ((form.gpu = value), changed()));
  const bench = select(state.benches.map((one) => [one, one]), form.bench, (value) => ((form.bench = value), changed()));
  const who = make("p", "hint", "You submit as ");
  who.append(named("", state.account), ".");
  const fields = make("div", "fields");
  const top = make("div", "pair");
  const bottom = make("div", "pair");
  top.append(role, field("on", bench));
  bottom.append(modes.box, field("Estimate for one", gpu));
  fields.append(
    who,
    top,
    i2tHalf(form, state, changed),
    systemField("t2i", "T2I model", "diffusers:OWNER/NAME, another adapter, or a name from the list; @COMMIT pins it", form, state, changed),
    bottom,
    declared(form, state, changed),
  );
  box.append(fields, verdict.box);
  verdict.changed();
  return box;
}

// A model that writes captions, or the captions.
function i2tHalf(form, state, changed) {
  const box = make("div", "half");
  const model = systemField("i2t", "I2T model", "transformers:OWNER/NAME, another adapter, or a name from the list; @COMMIT pins it", form, state, changed);
  const file = captionFile(form, changed);
  const options = [
    { key: "model", text: "a model" },
    { key: "file", text: "a caption file" },
  ];
  const draw = (kind) => {
    if (kind === "model") Object.assign(form, { captions: "", captions_name: "", captions_bytes: 0 });
    form.with_file = kind === "file";
    const switcher = make("div", "row");
    const group = choice("Captions come from", options, kind, (key) => {
      draw(key);
      changed();
    });
    switcher.append(make("span", "label", "Captions come from"), group);
    if (kind === "file") file.querySelector("input").value = "";
    box.replaceChildren(switcher, kind === "model" ? model : file);
  };
  draw("model");
  return box;
}

function declared(form, state, changed) {
  const box = make("details", "settings");
  box.append(make("summary", "", "Shown with the row"));
  const fields = make("div", "setting-fields");
  for (const [name, title, hint] of [
    ["paper", "Paper", "its address"],
    ["code", "Code", "its address"],
    ["trained_on", "Trained on", "what the model has seen"],
    ["variants_tried", "Variants tried", "how many variants were scored on these pictures, or chosen among"],
    ["comment", "Comment", "anything else worth knowing"],
  ]) {
    const area = name === "trained_on" || name === "comment";
    const take = (value) => ((form[name] = value), changed());
    fields.append(field(title, textInput("", take, { most: state.longest[name], area }), hint));
  }
  box.append(fields);
  return box;
}

// What the checks say, beside the form; it follows what is typed.
function drawVerdict(form, queue) {
  const box = make("aside", "form-checks");
  box.setAttribute("aria-label", "What the checks say");
  const said = make("div", "said");
  said.setAttribute("role", "status");
  const send = button("tool primary", "Submit", () => submit());
  let waiting = null;
  let asked = "";
  const sent = () => {
    const { with_file: _, captions_bytes: __, ...rest } = form;
    return rest;
  };
  const say = (...parts) => said.replaceChildren(...parts);
  const changed = () => {
    send.disabled = true;
    clearTimeout(waiting);
    const missing = whatIsMissing(form);
    if (missing) return say(make("p", "hint", missing));
    waiting = setTimeout(check, PAUSE);
  };
  const check = async () => {
    asked = JSON.stringify(sent());
    said.classList.add("busy");
    if (!said.querySelector(".lines")) say(make("p", "hint", "Checking…"));
    const answer = await ask("check", sent());
    if (asked !== JSON.stringify(sent())) return;
    said.classList.remove("busy");
    say(...verdictLines(answer));
    send.disabled = !answer.request_id;
  };
  const submit = async () => {
    send.disabled = true;
    send.textContent = "Submitting…";
    const answer = await ask("submit", sent());
    send.textContent = "Submit";
    if (answer.error) {
      say(...verdictLines(answer));
      send.disabled = false;
      return;
    }
    say(finding("passed", `Queued as ${answer.request_id}.`, "it is in the queue below"));
    await queue.draw(answer.request_id);
  };
  send.disabled = true;
  box.append(make("h3", "", "Checks"), said, send);
  return { box, changed };
}

function whatIsMissing(form) {
  if (form.with_file && !form.captions_name) return "Choose a caption file.";
  if (form.with_file && !form.captions_bytes) return "The caption file is empty.";
  if (form.with_file && !form.captions) return "The caption file has more than 1 MiB; shorten the captions.";
  if (!form.with_file && !form.i2t.trim()) return "Name an I2T model, or give a caption file.";
  if (!form.t2i.trim()) return "Name a T2I model. start-image is the one without weights.";
  return "";
}

function verdictLines(answer) {
  const list = make("ul", "lines");
  const lines = [];
  if (answer.error) lines.push(finding("refused", answer.error));
  const findings = answer.findings ?? [];
  for (const one of [...findings].sort((a, b) => b.refuses - a.refuses)) {
    lines.push(finding(one.refuses ? "refused" : "noted", one.sentence, one.remedy, one.code));
  }
  if (answer.request_id) lines.unshift(finding("passed", "All checks passed."));
  for (const line of answer.about ?? []) lines.push(finding("noted", line));
  if (answer.modes?.length) lines.push(finding("noted", `It runs in ${answer.modes.join(", ")}.`));
  if (answer.cost) lines.push(finding("noted", `It will take ${answer.cost}.`));
  list.append(...lines);
  return [list];
}

const MARKS = { refused: "✕", noted: "i", passed: "✓" };
const READ_OUT = { refused: "Refused: ", noted: "Note: ", passed: "" };

function finding(kind, sentence, remedy = "", code = "") {
  const item = make("li", `finding ${kind}`);
  const mark = make("span", "mark", MARKS[kind]);
  mark.setAttribute("aria-hidden", "true");
  const text = make("div", "text");
  const first = make("p", "");
  first.append(make("span", "unseen", READ_OUT[kind]), named("", sentence));
  first.lastChild.removeAttribute("title");
  text.append(first);
  if (remedy) text.append(make("p", "hint", `${remedy[0].toUpperCase()}${remedy.slice(1)}.`));
  if (code) text.append(make("code", "code", code));
  item.append(mark, text);
  return item;
}
