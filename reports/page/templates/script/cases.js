// The table of every case.

let texts; // all words of the table by case, in small letters; made for the first search
function allTexts() {
  return every.map((row) => {
    const said = Object.values(cells).map(({ text, note }) => `${text[row]} ${note?.[row] ?? ""}`);
    return [...said, remarks[row] ?? ""].join(" ").toLowerCase();
  });
}

const remarks = every.map((row) => [cases.cause[row], ...cases.remarks[row]].filter(Boolean).join(" · ") || null);
const keys = (name) => (name === "remarks" ? remarks : cells[name].sort);

// Returns the cases that filters and search let through, sorted.
function chosenCases() {
  const words = text("q").toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) texts ??= allTexts();
  const rows = every.filter((row) => shown[row] && words.every((word) => texts[row].includes(word)));
  return inOrder("sort", rows, keys);
}

function buildCases() {
  const table = find("case-table");
  table.replaceChildren(...tabled(columns.map(headed), []));
  table.tBodies[0].addEventListener("click", ({ target }) => {
    const row = target.closest("[data-open]")?.dataset.open;
    if (row === undefined) return;
    choose({ open: [text("open") === row ? "" : row] });
    table.querySelector(`[data-open="${row}"]`).focus();
  });
  find("search").addEventListener("input", () => choose({ q: [find("search").value], page: [""] }));
  find("download").addEventListener("click", download);
  buildPages();
}

function caseCell({ name, numeric }, row) {
  if (name === "status") return make("td", { className: "status", title: cases.cause[row] }, cases.status[row]);
  if (name === "remarks") {
    const said = remarks[row] ?? "";
    return make("td", { className: "remarks", title: said }, make("span", null, said));
  }
  const { text, note, reason } = cells[name];
  const cell = numbered("td", numeric, text[row]);
  if (note?.[row]) cell.append(" ", make("small", null, note[row]));
  if (reason?.[row]) Object.assign(cell, { className: cell.className + " missing", title: reason[row] });
  return cell;
}

// Returns the button with a case's name that opens it.
function opener(row, open) {
  const button = make("button", { type: "button", className: "opener", "data-open": row }, cells.model.text[row]);
  if (open !== undefined) button.setAttribute("aria-expanded", open);
  return button;
}

function caseLine(row, marked) {
  const open = text("open") === String(row);
  const mark = marked ? make("span", { className: "alike", title: ALIKE_TITLE }, `${ALIKE} `) : null;
  const name = make("th", { scope: "row" }, mark, opener(row, open));
  const shown = line(name, ...columns.slice(1).map((column) => caseCell(column, row)));
  shown.classList.toggle("failed", cases.status[row] !== "ok");
  if (!open) return [shown];
  return [shown, make("tr", { className: "opened" }, make("td", { colSpan: columns.length }, caseDetails(row)))];
}

function showCases() {
  const rows = chosenCases();
  if (Number(text("page")) > Math.ceil(rows.length / PAGE)) state.delete("page");
  const page = Number(text("page") || 1);
  const start = (page - 1) * PAGE;
  fillCases(rows.slice(start, start + PAGE), rows[start - 1]);
  if (document.activeElement !== find("search")) find("search").value = text("q");
  find("count").textContent = `${whole(rows.length)} of ${counted(total, "case")}`;
  showPages(rows.length, page);
}

// Shows rows; `before` is the row that stands before the first of them in the same order, on another page.
function fillCases(rows, before) {
  const marked = neighbours(rows, before);
  const lines = rows.flatMap((row) => caseLine(row, marked.has(row)));
  find("alike").hidden = marked.size === 0;
  const none = line(make("td", { colSpan: columns.length }, "No case passes the filters and the search."));
  find("case-table").tBodies[0].replaceChildren(...(lines.length ? lines : [none]));
}

// The buttons are made once: new buttons at every turn would take the focus away.
function buildPages() {
  const turns = { Previous: -1, Next: 1 };
  const turn = ({ target }) => {
    choose({ page: [String(Number(text("page") || 1) + turns[target.textContent])] });
    find("case-table").parentElement.scrollTop = 0;
  };
  const [previous, next] = Object.keys(turns).map((said) => make("button", { type: "button", onclick: turn }, said));
  find("pages").replaceChildren(previous, make("span"), next);
}

function showPages(count, page) {
  const [previous, said, next] = find("pages").children;
  const last = Math.min(count, page * PAGE);
  find("pages").hidden = count <= PAGE;
  said.textContent = `${whole((page - 1) * PAGE + 1)}\u2013${whole(last)} of ${whole(count)}`;
  previous.disabled = page === 1;
  next.disabled = last === count;
}

function download() {
  const lines = [cases.csv.head, ...chosenCases().map((row) => cases.csv.rows[row])];
  const url = URL.createObjectURL(new Blob(lines.map((line) => line + "\n"), { type: "text/csv" }));
  make("a", { href: url, download: "cases.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
