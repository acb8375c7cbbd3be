// The page: its tabs, the view that the address names, and what is said about the data's age.

import { announce, clock, forget, load, make, unanswered } from "./dom.js";
import { copyText } from "./download.js";
import { drawNotice, know } from "./frozen.js";
import { redraw } from "./keep.js";
import * as state from "./state.js";

const VIEWS = [
  { key: "pairs", tab: "Pairs", module: "./pairs.js" },
  { key: "pictures", tab: "Pictures", module: "./pictures.js" },
  { key: "compare", tab: "Compare", module: "./compare.js" },
  { key: "figures", tab: "Figures", module: "./figures.js" },
  { key: "changes", tab: "Changes", module: "./changes.js" },
  { key: "submit", tab: "Submit", module: "./submit.js" },
  { key: "about", tab: "About", module: "./about.js" },
];
// What somebody types into a form is not swept away, and the text on the methods has no data.
const STILL = ["submit", "about"];
// Lists that hang open; not every browser can be asked for them.
const UNFOLDED = CSS.supports("selector(select:open)") ? "dialog[open], main select:open" : "dialog[open]";
const main = document.querySelector("main");
const trouble = document.querySelector(".trouble");
const notice = document.querySelector(".frozen-notice");
const arriving = document.querySelector(".arriving");
// What is drawn within this time, in milliseconds, is not said to be on its way.
const MOMENT = 300;
let site = null;
let shown = { key: null };
// The server did not answer when the view was to be drawn.
let isLost = false;
let lastWait = 0;

function allViews() {
  const boards = site.tracks.map(({ key, tab }) => ({ key, tab, module: "./board.js" }));
  return [...boards, ...VIEWS];
}

function currentView() {
  const views = allViews();
  return views.find((view) => view.key === state.get("view")) ?? views[0];
}

// Boards and pairs have frozen files; changes have boards of their own, and every other view is live.
function frozenKind(key) {
  if (key === "changes") return "compared";
  return key === "pairs" || !VIEWS.some((view) => view.key === key) ? "frozen" : "live";
}

// Without a frozen board there is little to tell of changes; a link shows it all the same.
function isTab({ key }, current) {
  return key !== "changes" || key === current.key || site.snapshots.length > 0;
}

function drawTabs() {
  const current = currentView();
  redraw(
    document.querySelector(".tabs"),
    ...allViews().filter((view) => isTab(view, current)).map(({ key, tab }) => {
      const link = make("a", "", tab);
      link.href = state.queryFor({ view: key });
      if (key === current.key) link.setAttribute("aria-current", "page");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        history.pushState(null, "", link.href);
        state.replaceAll(new URL(link.href).search);
      });
      return link;
    }),
  );
  const link = document.querySelector(".tabs [aria-current]");
  const bar = link.parentElement;
  bar.scrollLeft = link.offsetLeft - bar.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
}

async function draw(changes = {}) {
  const wanted = currentView();
  const isShown = () => currentView().key === wanted.key;
  // Nobody asked for news.
  const arrived = "news" in changes ? () => {} : sayArriving(wanted.tab);
  try {
    if (shown.key !== wanted.key || "view" in changes) await open(wanted);
    else if ("as_of" in changes || "news" in changes) await renew();
    else await update(changes);
    if (!isShown()) return;
    trouble.hidden = true;
    isLost = false;
  } catch (error) {
    // Told and not thrown: the look for news does not depend on a view.
    console.error(error);
    if (!isShown()) return;
    isLost = Boolean(error.cause);
    drawNotice(notice, frozenKind(wanted.key));
    say(`This view could not be drawn: ${error.message}. Press its name above to try again.`);
  } finally {
    arrived();
  }
}

// Says, after a moment, that a view is on its way while the old one stands there; returns how to take
// that back. What was asked for last counts.
function sayArriving(tab) {
  lastWait += 1;
  const own = lastWait;
  const set = (text) => {
    if (own !== lastWait) return;
    arriving.textContent = text;
    main.ariaBusy = text ? "true" : null;
  };
  const timer = setTimeout(() => set(`Loading ${tab} …`), MOMENT);
  return () => {
    clearTimeout(timer);
    set("");
  };
}

async function open({ key, tab, module: path }) {
  const module = await import(path).catch(unanswered("its script did not arrive"));
  if (currentView().key !== key) return;
  drawTabs();
  const box = make("section", `view view-${key}`);
  const view = await module.open(box, site, key);
  if (currentView().key !== key) return;
  shown = { key, box, module, view };
  drawNotice(notice, frozenKind(key));
  main.replaceChildren(box);
  document.title = `${tab} · CMC-Bench`;
  await view.update({});
}

async function update(changes) {
  drawNotice(notice, frozenKind(shown.key));
  await shown.view.update(changes);
}

// Other data into the view that is shown: what a reader does in it goes on.
async function renew() {
  const { key, box, module, view } = shown;
  drawNotice(notice, frozenKind(key));
  if (STILL.includes(key)) return;
  if (view.renew) {
    await view.renew(site);
    return;
  }
  const newer = await module.open(box, site, key);
  if (shown.box !== box) return;
  shown.view = newer;
  await newer.update({});
}

function say(text) {
  trouble.textContent = text;
  trouble.hidden = false;
}

function age(iso) {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 60000));
  if (minutes < 1) return "just now";
  const hours = Math.round(minutes / 60);
  if (minutes < 90) return `${minutes} min ago`;
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

function drawAge() {
  // A store that did not change is as fresh as its last answer, which only a server knows.
  const seenAt = site.can_submit ? site.checked_at : site.read_at;
  const node = document.querySelector(".freshness");
  const read = seenAt ? `, read ${age(seenAt)}` : "";
  const text = site.results
    ? `${site.results} ${site.results === 1 ? "result" : "results"}${read}`
    : "the paper's published numbers";
  const since = site.failing_since ? ` since ${clock(site.failing_since)}` : "";
  const trouble = site.is_away
    ? "; the server does not answer"
    : site.trouble ? `; ${site.trouble}${since}` : isUnread() ? "; the store is being read" : "";
  node.querySelector(".age").textContent = text;
  // Announced to who does not see it; the age is not.
  announce(node.querySelector(".health"), trouble);
  node.classList.toggle("stale", Boolean(site.is_away || site.problem));
  node.title = site.problem || `Revision ${site.revision}`;
}

// No answer of the store has been seen yet.
function isUnread() {
  return site.can_submit && !site.revision;
}

// A server tells whether there are newer results; a static site has nobody to ask.
async function lookForNews() {
  const answer = await fetch("data/status.json", { cache: "no-store" }).catch(() => null);
  site.is_away = !answer?.ok;
  if (site.is_away) {
    drawAge();
    return;
  }
  const status = await answer.json();
  const { problem, trouble, failing_since, checked_at } = status;
  const health = { problem, trouble, failing_since, checked_at };
  Object.assign(site, health);
  // Under a dialog or an open list nothing is made anew; the next look is not far.
  if (status.revision !== site.revision && !document.querySelector(UNFOLDED)) {
    forget();
    site = { ...(await load("data/site.json")), ...health };
    know(site);
    drawTabs();
    await draw({ news: true });
  }
  if (isLost) {
    isLost = false;
    await draw({ view: true });
  }
  drawAge();
}

function drawTheme(theme) {
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
}

document.querySelector(".theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  state.set({ __theme: dark ? "light" : "dark" });
});
document.querySelector(".copy-link").addEventListener("click", (event) => {
  copyText(state.shareLink(site?.space_id), event.currentTarget);
});

drawTheme(state.get("__theme"));
const isEmbedded = state.get("embed") === "1";
document.body.classList.toggle("embed", isEmbedded);
// A frame holds one view: its links open the whole page beside the page that the frame is in.
if (isEmbedded) document.head.append(Object.assign(make("base"), { target: "_blank" }));
// Before the list of tables is there, nothing is drawn; then it is as the address says by that time.
state.onChange((changes) => {
  drawTheme(state.get("__theme"));
  if (!site) return;
  drawTabs();
  draw(changes);
});
// The first table is asked for together with the list of tables, where there is such a table.
const { boards, contents } = main.dataset;
const likely = state.get("view", "t2i-ulb");
const content = state.get("content", "all");
if (!state.get("as_of") && boards.split(" ").includes(likely) && contents.split(" ").includes(content)) {
  load(`data/board/${likely}.${content}.json`).catch(() => {});
}
try {
  site = await load("data/site.json");
  know(site);
  drawTabs();
  drawAge();
  await draw({ view: true });
  performance.mark("cmc-first-rows");
  setInterval(drawAge, 30_000);
  if (site.can_submit) {
    await lookForNews();
    // While the first reading is under way it may end at any moment.
    const again = () => setTimeout(() => lookForNews().finally(again), isUnread() && !site.problem ? 2_000 : 30_000);
    again();
  }
} catch (error) {
  if (!site) say(`The data could not be read: ${error.message}`);
  throw error;
}
