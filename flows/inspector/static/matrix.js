// The alignment of two texts as a table: the darker a cell, the surer the link.

export function showMatrix(box, found, span, data) {
  const table = document.createElement("table");
  table.className = "matrix";
  const inside = (word, place) => place && word.start < place.end && place.start < word.end;
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"));
  for (const word of found.target) head.append(heading(word, data.target, inside(word, span?.target)));
  const body = table.createTBody();
  found.source.forEach((word, i) => {
    const row = body.insertRow();
    row.append(heading(word, data.source, inside(word, span?.source)));
    found.target.forEach((other, j) => {
      const p = found.rows[i][j];
      const cell = row.insertCell();
      cell.style.setProperty("--p", p);
      cell.title = `${word.text} – ${other.text}: ${p}`;
      if (p >= 0.005) cell.textContent = p.toFixed(2).replace(/^0/, "");
      if (inside(word, span?.source) && inside(other, span?.target)) cell.className = "inside";
    });
  });
  const caption = table.createCaption();
  caption.textContent = "Alignment: source words down, target words across" + (found.cut ? "; the part around the span" : "");
  box.replaceChildren(table);
}

function heading(word, side, isInside) {
  const cell = document.createElement("th");
  cell.textContent = word.text;
  cell.lang = side.lang;
  cell.dir = side.dir;
  if (isInside) cell.className = "inside";
  return cell;
}
