// Where characters and words begin and end. Offsets are UTF-16 units, as the browser counts; the server converts them.

const segmenters = new Map();

function segments(text, lang, granularity) {
  const key = `${lang} ${granularity}`;
  if (!segmenters.has(key)) {
    let made;
    try {
      made = new Intl.Segmenter(lang, { granularity });
    } catch {
      made = new Intl.Segmenter(undefined, { granularity }); // a language tag that the browser does not take
    }
    segmenters.set(key, made);
  }
  return segmenters.get(key).segment(text);
}

// The next (step 1) or the last (step -1) edge between characters as people see them.
export function graphemeEdge(text, lang, at, step) {
  const found = segments(text, lang, "grapheme");
  if (step > 0) {
    if (at >= text.length) return text.length;
    const here = found.containing(at);
    return here.index + here.segment.length;
  }
  return at <= 0 ? 0 : found.containing(at - 1).index;
}

// The word (start, end) that begins at or after `at` (step 1), or ends at or before it (step -1); null without one.
export function wordBeside(text, lang, at, step) {
  const found = segments(text, lang, "word");
  let place = step > 0 ? at : at - 1;
  while (place >= 0 && place < text.length) {
    const here = found.containing(place);
    const end = here.index + here.segment.length;
    const whole = step > 0 ? here.index >= at : end <= at;
    if (here.isWordLike && whole) return [here.index, end];
    place = step > 0 ? end : here.index - 1;
  }
  return null;
}

// The edge of a span moved by one character, or by one word: `edge` is "start" or "end".
export function moved(text, lang, at, edge, step, byWord) {
  if (!byWord) return graphemeEdge(text, lang, at, step);
  if (edge === "start" && step < 0) return wordBeside(text, lang, at, -1)?.[0] ?? 0;
  if (edge === "start") return wordBeside(text, lang, graphemeEdge(text, lang, at, 1), 1)?.[0] ?? at;
  if (step > 0) return wordBeside(text, lang, at, 1)?.[1] ?? text.length;
  return wordBeside(text, lang, graphemeEdge(text, lang, at, -1), -1)?.[1] ?? at;
}

// A marked stretch without white space at its edges, from edge to edge of characters.
export function tidy(text, lang, start, end) {
  while (start < end && /\s/u.test(text[start])) start += 1;
  while (end > start && /\s/u.test(text[end - 1])) end -= 1;
  if (start >= end) return null;
  const found = segments(text, lang, "grapheme");
  const last = found.containing(end - 1);
  return [found.containing(start).index, last.index + last.segment.length];
}
