// Spans drawn on text without touching it: each text stays one text node, so overlaps and right-to-left just work.

const COLOURS = 8;
const KINDS = ["s", "a", "u", "x"];

export const colourOf = (number) => number % COLOURS;

// A field's text as one node; sides hold one element per field.
export function showSide(side, data, heading) {
  const title = document.createElement("h2");
  title.className = "lang";
  title.textContent = `${heading} · ${data.lang}`;
  const fields = data.texts.map(({ field, text, hidden }) => {
    const box = document.createElement("div");
    box.className = "field";
    if (data.texts.length > 1) {
      const name = document.createElement("h3");
      name.textContent = field;
      box.append(name);
    }
    const shown = document.createElement("div");
    shown.className = "text";
    shown.lang = data.lang;
    shown.dir = data.dir;
    shown.dataset.field = field;
    shown.textContent = text;
    const badges = document.createElement("div");
    badges.className = "badges";
    badges.setAttribute("aria-hidden", "true");
    const scroller = document.createElement("div");
    scroller.className = "scroller";
    scroller.append(shown, badges);
    box.append(scroller);
    if (hidden.length) {
      const note = document.createElement("p");
      note.className = "hidden-characters";
      note.textContent = `can't be seen: ${hidden.join(", ")}`;
      box.append(note);
    }
    return box;
  });
  side.replaceChildren(title, ...fields);
}

export function textElement(side, field) {
  return [...side.querySelectorAll(".text")].find((element) => element.dataset.field === field) ?? null;
}

// One range per part of a place; none where the text is not there.
export function rangesOf(side, field, place) {
  const node = textElement(side, field)?.firstChild;
  if (!node || !place) return [];
  const parts = place.fragments.length ? place.fragments : [[place.start, place.end]];
  return parts.map(([start, end]) => {
    const range = new Range();
    range.setStart(node, Math.min(start, node.length));
    range.setEnd(node, Math.min(end, node.length));
    return range;
  });
}

// Draws all spans; `active` is the one that is looked at, the others step back.
export function drawSpans(sides, spans, active) {
  const found = new Map();
  for (const badges of document.querySelectorAll(".badges")) badges.replaceChildren();
  const placed = new Map();
  spans.forEach((span, index) => {
    const gone = span.decision?.action === "reject";
    for (const [name, side] of Object.entries(sides)) {
      const ranges = rangesOf(side, span.field, span[name]);
      let kind = index === active ? "a" : "s";
      if (name === "source" && (!span.target || gone)) kind = "u";
      if (name === "target" && gone) kind = "x";
      for (const range of ranges) {
        const key = `${kind}${colourOf(index)}`;
        if (!found.has(key)) found.set(key, new Highlight());
        found.get(key).add(range);
        found.get(key).priority = index === active ? 2 : 1;
      }
      if (ranges.length) drawBadge(side, span.field, ranges[0], index, index === active, placed);
    }
  });
  for (const kind of KINDS) {
    for (let colour = 0; colour < COLOURS; colour += 1) {
      const name = `${kind}${colour}`;
      if (found.has(name)) CSS.highlights.set(name, found.get(name));
      else CSS.highlights.delete(name);
    }
  }
}

// The parts of a code-switched text that are in another language: a line above, and the language below.
export function drawSwitches(side, switches, matrix) {
  const langs = [...new Set(switches.map((s) => s.lang))].sort();
  const marks = langs.map(() => new Highlight());
  for (const { field, lang, place, unit, counterpart, source_text: was } of switches) {
    const ranges = rangesOf(side, field, place);
    for (const range of ranges) marks[langs.indexOf(lang)].add(range);
    const rect = ranges[0]?.getClientRects()[0];
    if (!rect) continue;
    const text = textElement(side, field);
    const badges = text.parentElement.querySelector(".badges");
    const ground = badges.getBoundingClientRect();
    const badge = document.createElement("span");
    badge.className = `badge tongue t${langs.indexOf(lang) % 4}${text.dir === "rtl" ? " rtl" : ""}`;
    badge.textContent = lang;
    badge.title = `${was} → ${lang}: ${unit}, ${counterpart}`;
    badge.style.left = `${(text.dir === "rtl" ? rect.right : rect.left) - ground.left}px`;
    badge.style.top = `${rect.bottom - ground.top}px`;
    badges.append(badge);
  }
  for (let i = 0; i < 4; i += 1) CSS.highlights.delete(`t${i}`);
  marks.forEach((mark, i) => CSS.highlights.set(`t${i % 4}`, mark));
  const told = side.querySelector(".lang");
  if (langs.length && told) told.textContent = `Switched · ${[matrix, ...langs].join(", ")}`;
}

// The number of a span, above where it begins: on the right where the text runs from right to left.
function drawBadge(side, field, range, index, isActive, placed) {
  const text = textElement(side, field);
  const badges = text.parentElement.querySelector(".badges");
  const first = range.getClientRects()[0];
  if (!first) return;
  const ground = badges.getBoundingClientRect();
  const badge = document.createElement("span");
  badge.className = `badge c${colourOf(index)}${isActive ? " active" : ""}`;
  badge.textContent = index + 1;
  const rtl = text.dir === "rtl";
  const x = rtl ? first.right - ground.left : first.left - ground.left;
  const y = first.top - ground.top;
  const spot = `${side.id} ${field} ${Math.round(x / 8)} ${Math.round(y)}`;
  const shift = (placed.get(spot) ?? 0) * 15;
  placed.set(spot, (placed.get(spot) ?? 0) + 1);
  badge.style.left = `${rtl ? x - shift : x + shift}px`;
  badge.style.top = `${y}px`;
  if (rtl) badge.classList.add("rtl");
  badges.append(badge);
}

// The line from a source span to its partner.
export function drawLink(svg, stage, sides, span, index) {
  svg.replaceChildren();
  if (!span?.source || !span.target || span.decision?.action === "reject") return;
  const ends = ["source", "target"].map((name) => rangesOf(sides[name], span.field, span[name])[0]?.getClientRects()[0]);
  if (!ends[0] || !ends[1]) return;
  const ground = stage.getBoundingClientRect();
  const views = ["source", "target"].map((name) => textElement(sides[name], span.field).parentElement.getBoundingClientRect());
  // A partner that is scrolled out of its box has no place to draw a line to.
  if (ends.some((rect, i) => rect.bottom < views[i].top || rect.top > views[i].bottom)) return;
  const beside = views[1].left >= views[0].right - 1;
  const [from, to] = ends;
  const middle = (rect) => rect.left + rect.width / 2 - ground.left;
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  if (beside && Math.abs(from.bottom - to.bottom) < 400) {
    const [x1, y1, x2, y2] = [middle(from), from.bottom - ground.top + 3, middle(to), to.bottom - ground.top + 3];
    const deep = Math.max(y1, y2) + 22;
    path.setAttribute("d", `M${x1} ${y1}C${x1} ${deep} ${x2} ${deep} ${x2} ${y2}`);
  } else {
    const [x1, y1, x2, y2] = [middle(from), from.bottom - ground.top + 3, middle(to), to.top - ground.top - 2];
    const half = (y1 + y2) / 2;
    path.setAttribute("d", `M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${y2}`);
  }
  path.setAttribute("class", `link c${colourOf(index)}`);
  svg.setAttribute("viewBox", `0 0 ${ground.width} ${ground.height}`);
  svg.append(path);
}

// Brings a span into view within its box, and its box into the window.
export function reveal(side, span, name) {
  const range = rangesOf(side, span.field, span[name])[0];
  const rect = range?.getClientRects()[0];
  if (!rect) return;
  const scroller = textElement(side, span.field).parentElement;
  const box = scroller.getBoundingClientRect();
  if (rect.top < box.top + 20 || rect.bottom > box.bottom - 10) {
    scroller.scrollTop += rect.top - box.top - box.height / 3;
  }
}

// The offset in a field's text under the mouse, or null.
export function offsetAt(event) {
  const text = event.target.closest?.(".text");
  if (!text) return null;
  const found = document.caretPositionFromPoint
    ? document.caretPositionFromPoint(event.clientX, event.clientY)
    : document.caretRangeFromPoint(event.clientX, event.clientY);
  const node = found?.offsetNode ?? found?.startContainer;
  const offset = found?.offset ?? found?.startOffset;
  return node === text.firstChild ? { field: text.dataset.field, offset } : null;
}
