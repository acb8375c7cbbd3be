// The form with its live checks, and the queue. All rules are the server's.

import { button, make, named, picker } from "./dom.js";
import { plainTable } from "./compare.js";

const FOLLOW_EVERY = 5000;

async function ask(action, form) {
  const answer = await fetch(`intake/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CMC": "1" },
    body: JSON.stringify(form),
  });
  return answer.json();
}

export async function addForm(box) {
  const answer = await fetch("intake/state", { cache: "no-store" });
  const state = await answer.json();
  if (state.error) {
    box.append(make("p", "about", `${state.error[0].toUpperCase()}${state.error.slice(1)}.`));
    return;
  }
  if (state.account) box.append(drawForm(state, () => drawQueue(queue)));
  else if (state.can_sign_in) box.append(signIn());
  const queue = make("section", "queue");
  box.append(queue);
  await drawQueue(queue);
  const timer = setInterval(() => {
    if (queue.isConnected) drawQueue(queue);
    else clearInterval(timer);
  }, FOLLOW_EVERY);
}

function signIn() {
  const link = make("a", "tool", "Sign in with Hugging Face");
  link.href = "login/huggingface";
  link.target = "_blank";
  return link;
}

function textField(title, name, list, form, changed) {
  const label = make("label", "", title);
  const field = make("input", "field");
  field.name = name;
  field.setAttribute("list", list);
  field.autocomplete = "off";
  field.addEventListener("input", () => {
    form[name] = field.value;
    changed();
  });
  label.append(field);
  return label;
}

function drawForm(state, submitted) {
  const box = make("section", "form");
  if (!state.benches.length) {
    box.append(make("p", "about", "No bench is open yet: the store has no request about any pictures."));
    return box;
  }
  const form = { role: "T2I", i2t: "", t2i: "", bench: state.benches[0] };
  const verdicts = make("div", "findings");
  verdicts.setAttribute("role", "status");
  const send = button("tool", "Submit", async () => {
    send.disabled = true;
    const answer = await ask("submit", form);
    verdicts.replaceChildren(make("p", "", answer.error ?? `Queued as ${answer.request_id}.`));
    submitted();
  });
  send.disabled = true;
  let waiting = null;
  const changed = () => {
    send.disabled = true;
    clearTimeout(waiting);
    waiting = setTimeout(() => live(form, verdicts, send), 500);
  };
  const known = make("datalist");
  known.id = "known-systems";
  for (const system of state.systems) {
    const option = make("option");
    option.value = system;
    known.append(option);
  }
  const roles = [{ key: "T2I", text: "the T2I model" }, { key: "I2T", text: "the I2T model" }];
  const set = (name) => (value) => {
    form[name] = value;
    changed();
  };
  box.append(
    make("p", "", `You are ${state.account}.`),
    picker("Compared is", roles, form.role, set("role")),
    picker("on", state.benches.map((key) => ({ key, text: key })), form.bench, set("bench")),
    textField("I2T model, as transformers:OWNER/NAME or a known name", "i2t", known.id, form, changed),
    textField("T2I model, as diffusers:OWNER/NAME or a known name", "t2i", known.id, form, changed),
    known,
    verdicts,
    send,
  );
  return box;
}

async function live(form, verdicts, send) {
  if (!form.i2t || !form.t2i) return;
  const asked = JSON.stringify(form);
  verdicts.replaceChildren(make("p", "", "Checking…"));
  const answer = await ask("check", form);
  if (asked !== JSON.stringify(form)) return;
  const lines = answer.error ? [answer.error] : answer.findings.map(({ code, sentence, remedy }) => `${code}: ${sentence}${remedy ? ` (${remedy})` : ""}`);
  if (answer.cost) lines.push(`It will take ${answer.cost}.`);
  if (answer.request_id) lines.push("All checks passed.");
  const list = make("ul");
  for (const line of lines) {
    const item = make("li");
    item.append(named("", line));
    list.append(item);
  }
  verdicts.replaceChildren(list);
  send.disabled = !answer.request_id;
}

async function drawQueue(box) {
  const answer = await fetch("intake/state", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const { queue } = await answer.json();
  const parts = [make("h2", "", "The queue")];
  if (!queue.length) parts.push(make("p", "about", "Nobody has submitted anything yet."));
  else parts.push(plainTable(["System", "State", "Progress", "Starts in", "By"], queue.map(queueRow)));
  for (const entry of queue.filter((one) => one.failure)) parts.push(failure(entry));
  for (const entry of queue.filter((one) => one.is_mine && ["PENDING", "RUNNING"].includes(one.status))) {
    parts.push(
      button("tool", `Withdraw ${entry.model.slice(0, 40)}`, async () => {
        await ask("withdraw", { request_id: entry.request_id });
        drawQueue(box);
      }),
    );
  }
  const focused = box.contains(document.activeElement);
  if (!focused || !box.hasChildNodes()) box.replaceChildren(...parts);
}

function queueRow({ model, partner, status, progress, position, wait_seconds: wait, submitter }) {
  const minutes = wait === null ? "" : wait < 90 ? `${Math.round(wait)} s` : `${Math.round(wait / 60)} min`;
  return [
    partner ? `${model} + ${partner}` : model,
    position ? `${status}, place ${position}` : status,
    progress,
    status === "PENDING" ? minutes || "not known" : "",
    submitter,
  ];
}

function failure({ model, failure: { code, message, hint, log } }) {
  const box = make("details");
  const summary = make("summary", "");
  summary.append(named("", model), ` failed: ${code}`);
  box.append(summary, make("p", "", message), make("p", "", hint));
  if (log) box.append(make("pre", "", log));
  return box;
}
