// The queue: where each request stands, what its smoke test showed, why it failed.

import { announce, button, clock, make, named } from "./dom.js";
import { addLog, logText, renewLog } from "./log.js";

const EVERY = 5000;
const SURE = 5000;
const STATES = {
  PENDING: "waiting",
  RUNNING: "running",
  FINISHED: "finished",
  FAILED: "failed",
  WITHDRAWN: "withdrawn",
  SUPERSEDED: "superseded",
};

export function addQueue(ask) {
  const box = make("section", "queue");
  const heading = make("h2", "", "The queue");
  const about = make("p", "about");
  about.setAttribute("role", "status");
  const list = make("ul", "requests");
  box.append(heading, about, list);
  const drawn = new Map();

  const draw = async (found = "") => {
    const answer = await fetch("intake/queue", { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) {
      about.textContent = "This server does not answer; the queue is as it was last seen.";
      about.classList.add("stale");
      return;
    }
    const view = await answer.json();
    announce(about, summary(view));
    about.classList.toggle("stale", Boolean(view.problem));
    about.title = view.problem;
    const wanted = new Set(view.queue.map((entry) => entry.request_id));
    for (const [key, { node }] of drawn) {
      if (!wanted.has(key)) {
        node.remove();
        drawn.delete(key);
      }
    }
    view.queue.forEach((entry, place) => {
      const node = drawEntry(entry);
      if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
    });
    if (found) reveal(found);
  };

  // An entry that has not changed stays the same node, with its focus and what is unfolded in it.
  const drawEntry = (entry) => {
    const said = JSON.stringify(entry);
    const old = drawn.get(entry.request_id);
    if (old?.said === said) return old.node;
    const node = old?.node ?? make("li", "request");
    const unfolded = Boolean(node.querySelector("details")?.open);
    const hadFocus = node.contains(document.activeElement) && document.activeElement.dataset.act;
    fill(node, entry, () => withdraw(entry));
    if (unfolded && node.querySelector("details")) node.querySelector("details").open = true;
    if (hadFocus) node.querySelector(`[data-act="${hadFocus}"]`)?.focus();
    drawn.set(entry.request_id, { node, said });
    return node;
  };

  const withdraw = async ({ request_id: id }) => {
    const answer = await ask("withdraw", { request_id: id });
    if (answer.error) {
      about.textContent = answer.error;
      about.classList.add("stale");
      return;
    }
    await draw();
  };

  const reveal = (id) => {
    const node = drawn.get(id)?.node;
    if (!node) return;
    node.scrollIntoView({ block: "nearest" });
    node.classList.add("new");
    setTimeout(() => node.classList.remove("new"), 4000);
  };

  const timer = setInterval(() => {
    if (box.isConnected) draw();
    else clearInterval(timer);
  }, EVERY);
  return { box, draw };
}

function summary({ requests, waiting, running, problem, failing_since: since, read_at: read }) {
  if (problem && !read) return `The store does not answer (since ${clock(since)}). This page asks again by itself.`;
  const parts = [`${running} running`, `${waiting} waiting`, `${requests} in all`];
  const text = requests ? `${parts.join(", ")}.` : "Nobody has submitted anything yet.";
  return problem ? `${text} As of ${clock(read)}: the store does not answer since ${clock(since)}.` : text;
}

function fill(node, entry, withdraw) {
  node.className = `request ${STATES[entry.status]}`;
  node.dataset.id = entry.request_id;
  const state = make("span", "chip", STATES[entry.status] ?? entry.status);
  const name = make("p", "system-name");
  name.append(named("", entry.model));
  if (entry.partner) {
    name.append(make("span", "with", " with "), named("", entry.partner));
  }
  const meta = make("p", "meta");
  meta.append(`${entry.role} · ${entry.modes.join(", ")} · `, named("", entry.bench), " · by ", named("", entry.submitter));
  meta.append(" · ", make("time", "", entry.submitted_at.slice(0, 10)));
  const text = make("div", "text");
  text.append(name, meta);
  const where = make("div", "where");
  where.append(...whereItStands(entry));
  if (entry.is_mine && ["PENDING", "RUNNING"].includes(entry.status)) where.append(withdrawal(withdraw));
  const old = node.querySelector("details");
  if (old && renewLog(old, entry)) {
    // In its place, or it would lose its scroll and its focus.
    [state, text, where].forEach((part, place) => node.children[place].replaceWith(part));
    return;
  }
  const more = details(entry);
  node.replaceChildren(state, text, where, ...(more ? [more] : []));
}

function whereItStands(entry) {
  // Results that came with their request wait for no worker.
  if (entry.status === "PENDING" && entry.position === null) return [make("p", "meta", entry.progress)];
  if (entry.status === "PENDING") {
    const wait = entry.wait_seconds === null ? "no run has told yet how long one takes" : `starts in about ${duration(entry.wait_seconds)}`;
    const again = entry.attempt ? `, after attempt ${entry.attempt}` : "";
    return [make("p", "", `place ${entry.position}${again}`), make("p", "meta", wait)];
  }
  if (entry.status === "RUNNING") {
    const progress = make("p", "progress");
    progress.append(named("", entry.progress || "started"));
    return [progress, make("p", "meta", `attempt ${entry.attempt}, since ${clock(entry.claimed_at)}`)];
  }
  if (entry.status === "FAILED" && entry.failure) return [make("p", "code", entry.failure.code)];
  if (entry.status === "FINISHED" && entry.progress) return [make("p", "meta", entry.progress)];
  const by = entry.successor ? `by ${entry.successor.slice(0, 8)}, ` : "";
  return [make("p", "meta", `${by}${clock(entry.updated_at)}`)];
}

// A frame may not be allowed to ask in a window of its own, so the button asks.
function withdrawal(act) {
  const node = button("tool small", "Withdraw", () => {
    if (node.dataset.sure) {
      node.disabled = true;
      act();
      return;
    }
    node.dataset.sure = "1";
    node.textContent = "Withdraw for good?";
    setTimeout(() => {
      delete node.dataset.sure;
      node.textContent = "Withdraw";
    }, SURE);
  });
  node.dataset.act = "withdraw";
  return node;
}

function details(entry) {
  const { failure, smoke } = entry;
  const running = entry.status === "RUNNING" && entry.log;
  const waits = entry.is_mine && (entry.position !== null || entry.status === "RUNNING");
  if (!failure && !smoke && !waits && !running) return null;
  const box = make("details", "more");
  box.append(make("summary", "", running ? "Log (UTC)" : failure ? "Why, and what to do" : "Smoke test"));
  box.firstChild.dataset.act = "more";
  if (running) addLog(box, entry);
  if (failure) {
    box.append(line(`In stage ${failure.stage}: `, failure.message), line("", failure.hint));
    if (failure.log) box.append(logText(failure.log, "End of the log"));
  }
  if (smoke) box.append(smokeTable(smoke, entry.whole_run_minutes));
  else if (waits) {
    box.append(
      line("", "A run of 20 pictures or more begins with three, one of each content; what they show stands here as soon as they are made. On your own machine the same is:"),
      make("pre", "", "cmc smoke --i2t … --t2i … --images DIR"),
    );
  }
  return box;
}

function line(before, text) {
  const node = make("p", "", before);
  node.append(named("", text));
  node.lastChild.removeAttribute("title");
  return node;
}

function smokeTable(smoke, minutes) {
  const box = make("div", "smoke");
  const names = make("p", "meta");
  names.append(`Smoke test of ${pictures(smoke.names.length)} in ${duration(smoke.seconds)}: `, named("", smoke.names.join(", ")));
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const title of ["Mode", "Made", "Encode", "Decode", "Rate"]) {
    const cell = make("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const one of smoke.modes) {
    const lost = Object.entries(one.failures);
    const failed = lost.reduce((sum, [, count]) => sum + count, 0);
    const made = `${one.images - failed} of ${one.images}${lost.map(([code, count]) => `, ${count} ${code}`).join("")}`;
    const row = body.insertRow();
    for (const text of [one.mode, made, `${one.encode_seconds.toFixed(2)} s`, `${one.decode_seconds.toFixed(2)} s`, `${one.bits_per_pixel.toFixed(4)} bpp`]) {
      row.append(make("td", "", text));
    }
  }
  const whole = `The whole run of ${pictures(smoke.images)} would take about ${duration(60 * minutes)} by these seconds, scoring not counted.`;
  box.append(names, table, make("p", "", whole));
  return box;
}

function pictures(count) {
  return `${count} ${count === 1 ? "picture" : "pictures"}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
