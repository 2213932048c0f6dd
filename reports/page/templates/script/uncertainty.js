// What the uncertainty cannot tell apart: cases whose 95 % intervals overlap.

const ALIKE = "\u2248";
const ALIKE_TITLE = "cannot be told apart from the row above: their 95 % intervals overlap";
const NAMED = 5; // variants of a sentence
const { spans } = cases;
const timed = new Set(["latency_s", "throughput_img_per_s", "relative"]); // columns whose order is judged

// Returns whether two cases cannot be told apart in a column. Cases of a run share its drift, and their relative times
// are free of it: these are compared where both are known, or else the absolute times. Without intervals: false.
function alike(column, row, other) {
  const same = spans.run[row] === spans.run[other] || column === "relative";
  const paired = same && spans.relative[row] && spans.relative[other];
  if (!paired && column === "relative") return false;
  const ends = [row, other].map((row) => {
    const size = Number(facets.batch[row]); // a relative time is of an image, a latency of a step of them
    const factor = (column === "latency_s" ? size : 1) / (paired ? 1 : size);
    return (paired ? spans.relative : spans.latency_s)[row]?.map((end) => end * factor);
  });
  const [first, second] = ends;
  return Boolean(first && second) && first[0] <= second[1] && second[0] <= first[1];
}

// Returns the rows that cannot be told apart from the row before; `before` comes before the first of them.
function neighbours(rows, before) {
  const column = columnOf(text("sort"));
  if (!timed.has(column)) return new Set();
  const previous = [before, ...rows];
  return new Set(rows.filter((row, at) => previous[at] !== undefined && alike(column, previous[at], row)));
}

// Returns the sentence on what cannot be told apart from the first of the variants. Published accuracies have no
// interval, so a choice by accuracy has only variants of the same accuracy beside it.
function saidOfRivals([choice, ...others], byTime) {
  if (choice === undefined) return "";
  const { imagenet_top1 } = cases.numbers;
  const rivals = others.filter(
    (row) =>
      (byTime || imagenet_top1[row] === imagenet_top1[choice]) && alike("throughput_img_per_s", choice, row),
  );
  if (!rivals.length) return "";
  const named = rivals.slice(0, NAMED).map((row) => {
    const machine = facets.machine[row] === facets.machine[choice] ? "" : ` on ${facets.machine[row]}`;
    return cells.model.text[row] + machine;
  });
  const more = rivals.length > NAMED ? ` and ${whole(rivals.length - NAMED)} more` : "";
  return ` Within the uncertainty of the first: ${named.join(", ")}${more}.`;
}
