// Makes the page a little easier; everything works without it.
(() => {
  "use strict";
  const focus = document.querySelector("[data-focus]") || (location.hash.length > 1 && document.getElementById(location.hash.slice(1)));
  if (focus && focus.tabIndex >= -1 && focus.hasAttribute("tabindex")) focus.focus();

  const form = document.getElementById("choose");
  if (form) {
    const input = document.getElementById("files");
    const said = document.getElementById("chosen");
    const most = Number(form.dataset.most);
    const say = () => {
      const files = [...input.files];
      const size = files.reduce((sum, file) => sum + file.size, 0);
      said.textContent = size > most ? form.dataset.much
        : files.length ? form.dataset.chosen + " " + files.map((file) => file.name).join(", ") : "";
      return size <= most;
    };
    input.addEventListener("change", say);
    form.addEventListener("submit", (event) => { if (!say()) { event.preventDefault(); input.focus(); } });
    const holds = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    let depth = 0;
    addEventListener("dragenter", (event) => { if (holds(event)) { depth += 1; document.body.classList.add("over"); } });
    addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) document.body.classList.remove("over"); });
    addEventListener("dragover", (event) => { if (holds(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      depth = 0;
      document.body.classList.remove("over");
      input.files = event.dataTransfer.files;
      if (say()) form.requestSubmit();
    });
  }

  const progress = document.querySelector("[data-progress]");
  if (progress) {
    const bar = progress.querySelector("[role=progressbar]");
    const step = document.getElementById("step");
    let stage = progress.dataset.stage;
    const look = async () => {
      try {
        const answer = await fetch(progress.dataset.progress + "?after=" + stage, { cache: "no-store" });
        const now = await answer.json();
        if (now.ready) { location.replace(location.pathname); return; }
        if (now.stage !== stage) {
          stage = now.stage;
          bar.setAttribute("aria-valuenow", now.at);
          bar.setAttribute("aria-valuetext", now.words);
          bar.dataset.at = now.at;
          step.textContent = now.sentence;
        }
        setTimeout(look, 100);
      } catch { setTimeout(look, 2000); }
    };
    look();
  }

  const again = document.querySelector("[data-again]");
  if (again) {
    const look = async () => {
      try {
        const answer = await fetch(again.dataset.again + "?known=" + again.dataset.known, { cache: "no-store" });
        if ((await answer.json()).waiting !== Number(again.dataset.known)) { location.reload(); return; }
      } catch { /* the server may have stopped */ }
      setTimeout(look, 1000);
    };
    look();
  }
})();
