// What opens below a case: how to measure it again, its samples, its remarks.

async function copy(words, source, said) {
  try {
    await navigator.clipboard.writeText(words); // there is none where the page is no secure context
    said.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    said.textContent = document.execCommand("copy") ? "Copied" : "Selected: copy it with the keyboard";
  }
}

function command(row) {
  const words = cases.commands[row];
  if (!words) return make("p", null, "Imported: measured elsewhere, so no command of ours reproduces it.");
  const code = make("code", null, ...words.split(/( )/).map((word) => make("span", null, word)));
  const said = make("output", null);
  const onclick = () => copy(words, code, said);
  const button = make("button", { type: "button", className: "copy", onclick }, "Copy");
  return make("div", { className: "command" }, make("pre", { tabIndex: 0 }, code), button, said);
}

function missing(row) {
  const empty = columns.filter(({ name }) => cells[name]?.reason?.[row]);
  const pair = ({ name, heading }) => [make("dt", null, heading), make("dd", null, cells[name].reason[row])];
  return empty.map((column) => make("div", null, ...pair(column)));
}

function caseDetails(row) {
  const box = make("div", { className: "case" });
  const part = (title, ...content) => content.length && box.append(make("h3", null, title), ...content);
  if (cases.cause[row]) part(cases.status[row], make("p", null, cases.cause[row]));
  part("Reproduce", command(row));
  if (cases.samples[row]) part("Samples", samples(cases.samples[row]));
  const lines = cases.remarks[row];
  if (lines.length) part("Remarks", make("ul", null, ...lines.map((line) => make("li", null, line))));
  const reasons = missing(row);
  if (reasons.length) part("Why values are missing", make("dl", { className: "list" }, ...reasons));
  return box;
}

// Draws the steps of every process as a strip of dots, all on a common scale.
function samples(replicates) {
  const all = replicates.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const strips = replicates.map((values, index) => {
    const sorted = [...values].sort((a, b) => a - b);
    const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    const name = make("th", { scope: "row" }, `process ${index + 1}`);
    const ends = [sorted[0], median, sorted.at(-1)].map((value) => numbered("td", true, quantity(value, "s")));
    return line(name, make("td", null, strip(sorted, median, low, high)), ...ends);
  });
  const range = headed({ heading: `steps, ${quantity(low, "s")} to ${quantity(high, "s")}` });
  const ends = ["least", "median", "greatest"].map((heading) => headed({ heading, numeric: true }));
  return make("table", { className: "samples" }, ...tabled([make("td"), range, ...ends], strips));
}

function strip(sorted, median, low, high) {
  const [width, height, edge] = [360, 26, 6];
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const x = (value) => (edge + share(value) * (width - 2 * edge)).toFixed(1);
  // Neighbours in value have heights a golden section apart, so that equal times do not overlap.
  const y = (index) => (5 + ((index * 0.618034) % 1) * (height - 10)).toFixed(1);
  const dots = sorted.map((value, index) => draw("circle", { cx: x(value), cy: y(index), r: 2.2 }));
  const middle = draw("line", { x1: x(median), x2: x(median), y1: 1, y2: height - 1 });
  const look = { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", class: "strip" };
  return draw("svg", look, ...dots, middle);
}
