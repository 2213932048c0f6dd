// Print: light, every chart, every case that passes the filters.

let closed = [];
function beforePrint() {
  closed = [...document.querySelectorAll("details:not(.data, .filters):not([open])")];
  for (const details of closed) details.open = true;
  wakePlotly();
  for (const name of names) if (viewOf(name)) drawChart(name, PRINT_WIDTH);
  const rows = chosenCases();
  fillCases(rows.slice(0, PRINTED));
  if (rows.length > PRINTED) find("count").textContent += `; the first ${whole(PRINTED)} are printed`;
}

function afterPrint() {
  for (const details of closed) details.open = false;
  showCases();
  redraw(names);
}
