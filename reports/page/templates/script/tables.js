// Tables whose heads sort them.

const columnOf = (order) => order.replace(/^-/, "");

// Rows without a value stay last in both directions.
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));
}

// Returns the numbers of rows in the order behind a key. The values of a column stand at the numbers of their rows.
function inOrder(key, rows, valuesOf) {
  if (!text(key)) return rows;
  const sign = text(key).startsWith("-") ? -1 : 1;
  const values = valuesOf(columnOf(text(key)));
  return rows.sort((a, b) => compare(values[a], values[b], sign));
}

// Makes buttons of the heads, and returns what shows the order behind the key.
function sortable(table) {
  const key = table.dataset.order;
  const heads = headsOf(table);
  const rows = [...table.tBodies[0].rows]; // none yet in the table of cases, which makes its own
  for (const head of heads) {
    const { column } = head.dataset;
    const turned = () => [text(key) === column ? "-" + column : column];
    const onclick = () => choose({ [key]: turned(), ...(key === "sort" && { page: [""] }) });
    head.replaceChildren(make("button", { type: "button", title: head.title, onclick }, ...head.childNodes));
    head.title = "";
  }
  // A cell without a number has no data-sort.
  const valueOf = (cell) => {
    const value = cell.dataset.sort ?? (cell.className === "n" ? null : cell.textContent);
    return !value?.trim() || Number.isNaN(Number(value)) ? value : Number(value);
  };
  const valuesOf = (column) => {
    const { cellIndex } = heads.find(({ dataset }) => dataset.column === column);
    return rows.map(({ cells }) => valueOf(cells[cellIndex]));
  };
  return () => {
    for (const head of heads) {
      const { column } = head.dataset;
      head.ariaSort = { [column]: "ascending", ["-" + column]: "descending" }[text(key)] ?? null;
    }
    table.tBodies[0].append(...inOrder(key, [...rows.keys()], valuesOf).map((row) => rows[row]));
  };
}
