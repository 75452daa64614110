// The list of spans, the facts about a row and the labels to choose from. Texts go in as text, never as markup.

import { colourOf } from "./marks.js";

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const cut = (text) => {
  const characters = [...text];
  return characters.length > 120 ? `${characters.slice(0, 119).join("")}…` : text;
};

const WORDS = { accept: "accepted", keep: "accepted", reject: "rejected", move: "moved", label: "relabelled", add: "added" };

export function showSpans(list, spans, chosen, choose) {
  list.replaceChildren(
    ...spans.map((span, index) => {
      const item = element("li");
      const button = element("button", "span");
      button.type = "button";
      button.setAttribute("aria-pressed", String(index === chosen));
      button.append(element("span", `number c${colourOf(index)} ${span.target ? "" : "unplaced"}`, index + 1));
      button.append(element("bdi", "label", span.label));
      button.append(element("bdi", "quote", span.source ? cut(span.source.quote) : "(not in the source)"));
      button.append(element("span", "arrow", "→"));
      if (span.target) button.append(element("bdi", "quote", cut(span.target.quote)));
      else button.append(element("span", "why", `not placed: ${span.reason ?? "nowhere"}`));
      const score = element("span", "score");
      if (span.score !== null) {
        const meter = element("meter");
        meter.min = 0;
        meter.max = 1;
        meter.value = span.score;
        score.append(meter, ` ${span.score.toFixed(3)}`);
      }
      button.append(score, element("span", "method", span.method));
      const state = span.decision ? WORDS[span.decision.action] : "open";
      button.append(element("span", `state ${state}`, state));
      button.addEventListener("click", () => choose(index));
      item.append(button);
      return item;
    }),
  );
}

export function showFacts(facts, reasons, data) {
  const marks = [element("bdi", "tag", data.corpus), element("span", "tag", data.split)];
  if (data.label) marks.push(element("bdi", "tag", data.label));
  if (data.row?.action === "drop") marks.push(element("span", "state dropped", "dropped"));
  else if (data.row && !data.kept) marks.push(element("span", "state accepted", "accepted anyway"));
  else if (!data.kept) marks.push(element("span", "state rejected", "rejected by a filter"));
  if (data.flagged) marks.push(element("span", "state flagged", "flagged"));
  facts.replaceChildren(...marks);
  if (data.reasons.length) {
    const list = element("ul", "chips");
    list.append(...data.reasons.map((reason) => {
      const item = element("li");
      item.append(element("bdi", "why", reason));
      return item;
    }));
    const text = data.target ? "Rejected for these reasons; A accepts the row anyway:" : "Rejected for these reasons:";
    reasons.replaceChildren(element("span", "small", text), list);
  } else {
    reasons.replaceChildren();
  }
}

export function showLabels(box, labels, current, choose, pick) {
  const buttons = labels.slice(0, 9).map((label, index) => {
    const button = element("button", label === current ? "current" : "");
    button.type = "button";
    button.append(element("kbd", "", index + 1), " ", element("bdi", "", label));
    button.addEventListener("click", () => choose(label));
    return button;
  });
  const more = element("button", labels.indexOf(current) >= 9 ? "current" : "");
  more.type = "button";
  more.append(element("kbd", "", "l"), labels.length > 9 ? ` all ${labels.length} labels` : " labels");
  more.addEventListener("click", pick);
  box.replaceChildren(...buttons, more);
}
