// One row under review. Keys are handled one after the other: each decision is on the disk before the next key counts.

import { Failed, get, post } from "./api.js";
import { drawLink, drawSpans, drawSwitches, offsetAt, reveal, showSide } from "./marks.js";
import { showMatrix } from "./matrix.js";
import { pickLabel } from "./picker.js";
import { showFacts, showLabels, showSpans } from "./spans.js";
import { moved, tidy, wordBeside } from "./text.js";

const $ = (id) => document.getElementById(id);
const main = $("main");
const query = main.dataset.query;
const sides = { source: $("source"), target: $("target") };
const withQuery = (path) => (query ? `${path}?${query}` : path);

let data = null; // the row as the server told it
let chosen = 0; // the span that keys are about
let hovered = null; // the span under the mouse
let adding = null; // the label of a span that is about to be added
let queue = Promise.resolve();

// What there is to take back, over all rows of this tab; a reload keeps it.
const undoStack = {
  read: () => JSON.parse(sessionStorage.getItem("undo") ?? "[]"),
  push(id) {
    sessionStorage.setItem("undo", JSON.stringify([...this.read(), id].slice(-500)));
  },
  pop() {
    const all = this.read();
    const last = all.pop();
    sessionStorage.setItem("undo", JSON.stringify(all));
    return last;
  },
};

function say(text, kind = "message") {
  $("message").hidden = !text;
  $("message").className = kind;
  $("message").textContent = text;
}

async function load(row, { keep = false, push = true } = {}) {
  const found = await get(withQuery(`/api/pair/${row}`));
  if (push && row !== data?.number) history.pushState({ row }, "", withQuery(`/pair/${row}`));
  const same = data?.number === row;
  data = found;
  adding = null;
  if (!keep || !same) {
    chosen = firstOpen();
  }
  render(!same);
}

// The first open span; where rows come least certain first, the open span with the least score.
function firstOpen() {
  const open = data.spans.map((span, i) => [span, i]).filter(([span]) => !span.decision);
  if (new URLSearchParams(query).get("sort") === "score") {
    const scored = open.filter(([span]) => span.score !== null).sort(([a], [b]) => a.score - b.score);
    if (scored.length) return scored[0][1];
  }
  return open[0]?.[1] ?? 0;
}

function take(answer) {
  data = answer;
  chosen = Math.min(chosen, Math.max(0, data.spans.length - 1));
  render(true);
}

function render(texts) {
  document.title = `${data.id} · Spanferry`;
  $("id").textContent = data.id;
  $("place").textContent = data.place ? `${data.place.toLocaleString("en")} of ${data.count.toLocaleString("en")}` : "";
  if (texts) {
    showSide(sides.source, data.source, "Source");
    if (data.target) showSide(sides.target, data.target, "Target");
    else sides.target.replaceChildren(Object.assign(document.createElement("p"), { className: "none", textContent: "There is no translation." }));
  }
  showFacts($("facts"), $("reasons"), data);
  $("keep").querySelector("span").textContent = data.kept ? "accept the row" : "accept anyway";
  showSpans($("spans"), data.spans, chosen, choose);
  showLabels($("labels"), data.labels, adding ?? data.spans[chosen]?.label, (label) => press({ key: "", label }), () => press({ key: "l" }));
  draw(true);
  main.dataset.loaded = `${data.number}:${data.version}:${chosen}`;
}

function draw(bring) {
  const active = hovered ?? (adding === null ? chosen : -1);
  const span = data.spans[active];
  if (bring && span) {
    for (const name of ["source", "target"]) reveal(sides[name], span, name);
  }
  drawSpans(sides, data.spans, active);
  drawSwitches(sides.target, data.switches, data.target?.lang);
  drawLink($("links"), $("stage"), sides, span, active);
  main.classList.toggle("adding", adding !== null);
}

function choose(index) {
  if (!data.spans.length) return;
  chosen = (index + data.spans.length) % data.spans.length;
  adding = null;
  render(false);
}

// Decisions

async function decide(edit) {
  const started = performance.now();
  const answer = await post(withQuery("/api/decide"), {
    row: data.number, version: data.version, dataset: data.dataset, ...edit,
  });
  undoStack.push(answer.decision);
  take(answer.row);
  say("");
  $("saved").textContent = `${edit.action} saved in ${Math.round(performance.now() - started)} ms`;
}

const onSpan = (action, more = {}) => {
  const span = data.spans[chosen];
  if (!span) throw new Failed(0, "This row has no span; a accepts the row, + adds a span.");
  return decide({ action, span: span.id, field: span.field, quote: span.target?.quote ?? "", ...more });
};

async function judge(action) {
  await onSpan(action);
  await goOn();
}

// To the next span that is open, else to the next row.
async function goOn() {
  const order = data.spans.map((_, i) => (chosen + 1 + i) % data.spans.length);
  const open = order.find((i) => !data.spans[i].decision);
  if (open !== undefined) choose(open);
  else await step("after");
}

async function step(way) {
  if (data[way] === null) {
    say(way === "after" ? "This is the last row that matches." : "This is the first row that matches.", "note");
    return;
  }
  await load(data[way]);
  say("");
}

function textOf(field) {
  return data.target?.texts.find((t) => t.field === field)?.text ?? "";
}

async function put(field, start, end, fragments = []) {
  const quote = textOf(field).slice(start, end);
  if (adding !== null) {
    const label = adding;
    await decide({ action: "add", field, start, end, label, quote });
    chosen = data.spans.length - 1;
    adding = null;
    render(false);
  } else {
    await onSpan("move", { field, start, end, fragments, quote });
  }
}

async function moveEdge(edge, by, byWord) {
  const span = data.spans[chosen];
  if (!span?.target) return putOnWord(1);
  const text = textOf(span.field);
  const { start, end, fragments } = span.target;
  const at = moved(text, data.target.lang, edge === "start" ? start : end, edge, by, byWord);
  const [from, to] = edge === "start" ? [at, end] : [start, at];
  const parts = fragments.map((part) => [...part]);
  if (parts.length && edge === "start") parts[0][0] = from;
  if (parts.length && edge === "end") parts[parts.length - 1][1] = to;
  if ((from === start && to === end) || from >= to || parts.some(([a, b]) => a >= b)) {
    say("The span can't move any further.", "note");
    return undefined;
  }
  return put(span.field, from, to, parts);
}

async function putOnWord(way) {
  const span = adding === null ? data.spans[chosen] : null;
  const field = span?.field ?? data.target?.texts[0].field;
  const text = textOf(field);
  const at = span?.target ? (way > 0 ? span.target.end : span.target.start) : way > 0 ? 0 : text.length;
  const word = wordBeside(text, data.target?.lang ?? "en", at, way);
  if (!word) say("There is no word there.", "note");
  else await put(field, ...word);
}

async function undo() {
  const id = undoStack.pop() ?? data.last;
  if (!id) {
    say("There is nothing to undo.", "note");
    return;
  }
  const answer = await post(withQuery("/api/undo"), { decision: id });
  const here = answer.row.number === data.number;
  if (!here) history.pushState({ row: answer.row.number }, "", withQuery(`/pair/${answer.row.number}`));
  take(answer.row);
  if (!here) choose(firstOpen());
  say("");
  $("saved").textContent = "undone";
}

async function relabel(label) {
  if (label === undefined) return;
  if (adding !== null) {
    adding = label;
    render(false);
  } else {
    await onSpan("label", { label });
  }
}

async function matrix() {
  const box = $("matrix");
  box.hidden = !box.hidden;
  if (box.hidden) return;
  const span = data.spans[chosen];
  const field = span?.field ?? data.source.texts[0].field;
  const asked = new URLSearchParams({ field });
  for (const name of ["source", "target"]) if (span?.[name]) asked.set(name, span[name].start);
  try {
    showMatrix(box, await get(`/api/matrix/${data.number}?${asked}`), span, data);
  } catch (error) {
    box.hidden = true;
    throw error;
  }
  box.scrollIntoView({ block: "nearest" });
}

const actions = {
  // A row without spans has only itself to accept.
  a: () => (data.spans.length ? judge("accept") : actions.A()),
  x: () => judge("reject"),
  " ": async () => {
    await decide({ action: "skip" });
    if (chosen + 1 < data.spans.length) choose(chosen + 1);
    else await step("after");
  },
  u: undo,
  f: () => decide({ action: data.flagged ? "unflag" : "flag" }),
  A: async () => {
    await decide({ action: "keep" });
    await step("after");
  },
  X: async () => {
    await decide({ action: "drop" });
    await step("after");
  },
  j: async () => choose(chosen + 1),
  k: async () => choose(chosen - 1),
  n: () => step("after"),
  p: () => step("before"),
  w: () => putOnWord(1),
  W: () => putOnWord(-1),
  m: async () => {
    if (main.dataset.matrix) await matrix();
  },
  l: async () => pickLabel($("picker"), data.labels, data.others, (label) => press({ key: "", label })),
  v: async () => {
    localStorage.setItem("stacked", $("stage").classList.toggle("stacked") ? "yes" : "");
    draw(false);
  },
  "+": async () => {
    if (!data.target) throw new Failed(0, "There is no translation to add a span to.");
    adding = data.spans[chosen]?.label ?? data.labels[0] ?? "";
    render(false);
    say("A new span: choose its label with a number or l, then mark it in the target, or press w. Esc leaves it.", "note");
  },
  Escape: async () => {
    adding = null;
    say("");
    render(false);
  },
  "?": async () => $("help").showModal(),
};
const edges = { "[": ["start", -1], "]": ["start", 1], "{": ["end", -1], "}": ["end", 1] };
// With Alt some keyboards type other characters; the place of the key tells all the same.
const byPlace = { BracketLeft: ["[", "{"], BracketRight: ["]", "}"] };

async function handle({ key, alt, label, place }) {
  say("");
  if (place) {
    if (adding === null && data.spans[chosen] && data.spans[chosen].field !== place[0]) {
      throw new Failed(0, `This span lies in ${data.spans[chosen].field}, not in ${place[0]}.`);
    }
    await put(...place);
  } else if (label !== undefined) await relabel(label);
  else if (key in edges) await moveEdge(...edges[key], alt);
  else if (/^[1-9]$/.test(key)) await relabel(data.labels[Number(key) - 1]);
  else await actions[key]();
}

function press(wanted) {
  queue = queue.then(() => handle(wanted)).catch(async (error) => {
    if (!(error instanceof Failed)) {
      say(`This went wrong in the page itself: ${error}`);
      console.error(error);
    } else if (error.status === 409) {
      await load(data.number, { keep: true, push: false }).catch(() => {});
      render(true);
      say(`Out of date, and not saved: ${error.message}. The row has been loaded again.`);
    } else {
      say(error.message);
    }
  }).finally(() => {
    main.dataset.handled = Number(main.dataset.handled ?? 0) + 1;
  });
  return queue;
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || !data) {
    if (!(event.ctrlKey && event.getModifierState("AltGraph"))) return;
  }
  const alt = event.altKey && !event.getModifierState("AltGraph");
  const key = alt && byPlace[event.code] ? byPlace[event.code][Number(event.shiftKey)] : event.key;
  if (alt && !(key in edges)) return;
  if (!(key in actions) && !(key in edges) && !/^[1-9]$/.test(key)) return;
  event.preventDefault(); // also of a space on a button: keys mean the same wherever the focus is
  press({ key, alt });
});

for (const button of document.querySelectorAll("button[data-key]")) {
  button.addEventListener("click", () => press({ key: button.dataset.key, alt: false }));
}

// Marking text in the target places the span.
document.addEventListener("mouseup", () => {
  const selection = getSelection();
  if (!data?.target || selection.isCollapsed || !selection.rangeCount) return;
  const range = selection.getRangeAt(0);
  const text = range.startContainer.parentElement?.closest("#target .text");
  if (!text || range.startContainer !== text.firstChild || range.endContainer !== text.firstChild) return;
  const found = tidy(text.firstChild.data, data.target.lang, range.startOffset, range.endOffset);
  selection.removeAllRanges();
  if (!found) return;
  press({ place: [text.dataset.field, ...found] });
});

$("stage").addEventListener("mousemove", (event) => {
  if (!data || event.buttons) return;
  const found = offsetAt(event);
  const name = event.target.closest?.(".side")?.id;
  let over = null;
  if (found) {
    const under = data.spans
      .map((span, i) => [span.field === found.field ? span[name] : null, i])
      .filter(([place]) => place && place.start <= found.offset && found.offset < place.end);
    // The shortest one, where several lie on top of each other.
    under.sort(([a], [b]) => a.end - a.start - (b.end - b.start));
    over = under[0]?.[1] ?? null;
  }
  if (over !== hovered) {
    hovered = over;
    draw(false);
  }
});
$("stage").addEventListener("mouseleave", () => {
  if (hovered !== null) {
    hovered = null;
    draw(false);
  }
});
document.addEventListener("scroll", () => data && draw(false), { capture: true, passive: true });
new ResizeObserver(() => data && draw(false)).observe($("stage"));
addEventListener("popstate", (event) => {
  const row = event.state?.row ?? Number(main.dataset.row);
  queue = queue.then(() => load(row, { push: false }));
});

if (localStorage.getItem("stacked")) $("stage").classList.add("stacked");
history.replaceState({ row: Number(main.dataset.row) }, "");
load(Number(main.dataset.row), { push: false }).catch((error) => say(error.message));
