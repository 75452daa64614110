// The table with the keyboard, and bulk acceptance.

import { post } from "./api.js";

const rows = [...document.querySelectorAll("a.row")];
const here = () => rows.indexOf(document.activeElement);

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const turn = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (event.key === "ArrowDown" || event.key === "j") rows[Math.min(here() + 1, rows.length - 1)]?.focus();
  else if (event.key === "ArrowUp" || event.key === "k") rows[Math.max(here() - 1, 0)]?.focus();
  else if (turn) document.querySelector(`a[rel=${turn}]`)?.click();
  else if (event.key === "/") document.querySelector(".filters select")?.focus();
  else return;
  event.preventDefault();
});

const bulk = document.getElementById("bulk");
if (bulk) {
  const dialog = document.getElementById("confirm");
  const typed = document.getElementById("typed");
  const sure = document.getElementById("sure");
  const message = dialog.querySelector(".message");
  const count = Number(bulk.dataset.count);
  dialog.querySelector(".count").textContent = count.toLocaleString("en");
  bulk.addEventListener("click", () => {
    typed.value = "";
    sure.disabled = true;
    message.textContent = count > Number(bulk.dataset.limit) ? `At most ${bulk.dataset.limit} at once: narrow the filter.` : "";
    dialog.showModal();
    typed.focus();
  });
  const right = () => typed.value.replace(/\D/g, "") === String(count) && count <= Number(bulk.dataset.limit);
  typed.addEventListener("input", () => {
    sure.disabled = !right();
  });
  const accept = async () => {
    sure.disabled = true;
    try {
      await post("/api/bulk", { count, query: Object.fromEntries(new URLSearchParams(bulk.dataset.query)) });
      location.reload();
    } catch (error) {
      message.textContent = error.message;
    }
  };
  sure.addEventListener("click", accept);
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (right()) accept();
  });
}
