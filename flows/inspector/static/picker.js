// Any label by its number or a part of its name: type, then Enter; arrows choose among those that fit.

export function pickLabel(dialog, labels, others, choose) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ol");
  const all = [...labels, ...others].map((label, i) => ({ label, number: String(i + 1), other: i >= labels.length }));
  let found = [];
  let at = 0;

  const take = (entry) => {
    dialog.close();
    if (entry) choose(entry.label);
  };
  const show = () => {
    list.replaceChildren(...found.map((entry, i) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(i === at));
      const number = document.createElement("kbd");
      number.textContent = entry.number;
      const name = document.createElement("bdi");
      name.textContent = entry.label;
      button.append(number, " ", name);
      if (entry.other) button.append(Object.assign(document.createElement("span"), { className: "small", textContent: " of another dataset" }));
      button.addEventListener("click", () => take(entry));
      item.append(button);
      return item;
    }));
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    const wanted = input.value.trim().toLowerCase();
    const rank = ({ label, number }) => {
      const name = label.toLowerCase();
      if (wanted === "" || number === wanted || name === wanted) return 0;
      return name.startsWith(wanted) ? 1 : name.includes(wanted) ? 2 : 3;
    };
    found = all.filter((entry) => rank(entry) < 3).sort((a, b) => rank(a) - rank(b));
    at = 0;
    show();
  };
  input.value = "";
  input.oninput = search;
  input.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") take(found[at]);
    else if (event.key === "ArrowDown") at = Math.min(at + 1, found.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else return;
    event.preventDefault();
    if (dialog.open) show();
  };
  search();
  dialog.showModal();
  input.focus();
}
