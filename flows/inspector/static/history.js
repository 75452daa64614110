// Takes decisions back from the list of all of them.

import { post } from "./api.js";

for (const button of document.querySelectorAll("button.undo")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await post("/api/undo", { decision: button.dataset.decision });
      location.reload();
    } catch (error) {
      document.getElementById("message").textContent = error.message;
    }
  });
}
