// Sorting and filters for the table of claims. It reads the page and hides or moves rows; it makes no markup from text.
(() => {
  "use strict";
  const table = document.getElementById("claims");
  const form = document.getElementById("filters");
  const status = document.getElementById("shown-now");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = new Map(rows.map((row) => [row, plain(row.textContent)]));
  const selects = Array.from(form.querySelectorAll("select"));
  const search = form.querySelector("input");
  let order = "";

  function fits(row, wanted) {
    return wanted.every((word) => words.get(row).includes(word)) && selects.every((select) => {
      if (select.value === "*") return true;
      const has = row.dataset[select.dataset.filter];
      return has.split(select.dataset.filter === "flags" ? " " : "\n").includes(select.value);
    });
  }

  function say() {
    const shown = rows.filter((row) => !row.hidden).length;
    const of = rows.length === 1 ? "1 listed claim" : `${rows.length.toLocaleString("en-GB")} listed claims`;
    const none = shown ? "" : " None fits all your choices: change one, or choose “Show all again”.";
    status.textContent = `Showing ${shown.toLocaleString("en-GB")} of ${of}.${none}${order}`;
  }

  function filter() {
    const wanted = plain(search.value).split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !fits(row, wanted);
    say();
  }

  const compare = new Intl.Collator("en-GB", { numeric: true }).compare;
  const key = (row, column) => {
    const cell = row.cells[column];
    return "key" in cell.dataset ? cell.dataset.key : cell.textContent.trim();
  };

  function sort(header, name) {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    // What has no key, such as a claim on no level, comes last both ways: it is not the lowest.
    const keyed = rows.map((row) => [key(row, header.cellIndex), row]);
    keyed.sort(([a], [b]) => (!a - !b) || (down ? compare(b, a) : compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
    order = ` In order of: ${name}, ${down ? header.dataset.turned : header.dataset.sort}.`;
    say();
  }

  for (const header of table.tHead.rows[0].cells) {
    if (!header.dataset.sort) continue;
    const name = header.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(header, name));
  }

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 250);
  });
  for (const select of selects) select.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  addEventListener("pageshow", filter);
  form.hidden = false;
})();
