// Pick for me: the cases within the bounds of a reader.

const BOUNDS = ["pick-accuracy", "pick-memory", "pick-latency"];
const LISTED = 10;
const PICK_HINT =
  "Give one or more bounds. Latency is per batch. Filters apply; training cases count only if a filter selects them.";
const pickColumns = new Set(payload.pick_columns);

// Returns the successful cases within the bounds, best first: the fastest where an accuracy is asked for, or else
// the most accurate. Training takes part only where the filter asks for it.
function picked([accuracy, memory, latency]) {
  const { imagenet_top1, latency_s, throughput_img_per_s, peak_bytes } = cases.numbers;
  const fits = (value, bound, sign) => bound === "" || (value !== null && sign * value <= sign * Number(bound));
  const task = list("f.task").length ? () => true : (row) => !payload.training.includes(facets.task[row]);
  const rows = every.filter(
    (row) =>
      shown[row] && task(row) && cases.status[row] === "ok" && latency_s[row] !== null &&
      fits(imagenet_top1[row] === null ? null : Number((100 * imagenet_top1[row]).toFixed(2)), accuracy, -1) &&
      fits(peak_bytes[row] === null ? null : peak_bytes[row] / 1e6, memory, 1) &&
      fits(1e3 * latency_s[row], latency, 1),
  );
  const fast = (a, b) => compare(throughput_img_per_s[a], throughput_img_per_s[b], -1);
  const right = (a, b) => compare(imagenet_top1[a], imagenet_top1[b], -1);
  return rows.sort(accuracy === "" ? (a, b) => right(a, b) || fast(a, b) : (a, b) => fast(a, b) || right(a, b));
}

function buildPick() {
  find("pick").addEventListener("submit", (event) => event.preventDefault());
  for (const id of BOUNDS) {
    find(id).addEventListener("input", () => choose({ pick: BOUNDS.map((id) => find(id).value) }));
  }
  find("picked").addEventListener("click", ({ target }) => {
    const row = target.closest("[data-open]")?.dataset.open;
    if (row !== undefined) visit(Number(row));
  });
}

// Opens a case in the table, on the page where it stands.
function visit(row) {
  if (!chosenCases().includes(row)) choose({ q: [""] });
  const page = Math.floor(chosenCases().indexOf(row) / PAGE) + 1;
  choose({ open: [String(row)], page: [String(page)] });
  const opener = find("case-table").querySelector(`[data-open="${row}"]`);
  opener?.scrollIntoView({ block: "center" });
  opener?.focus({ preventScroll: true });
}

function saidOfPick(cases, variants, accuracy) {
  if (!cases) return "No case is within these bounds.";
  const listed = variants > LISTED ? `The best ${LISTED} of ${whole(variants)} variants` : "The variants";
  const best = `${values.machine ? " and machines" : ""}, each in its best setting`;
  const order = accuracy ? "fastest" : "most accurate";
  return `${counted(cases, "case")} within the bounds. ${listed}${best}, ${order} first.`;
}

function pickLine(settings, listed) {
  const [row, ...others] = settings;
  const peak = cases.numbers.peak_bytes[row];
  const more = others.length ? make("small", null, ` +${counted(others.length, "setting")}`) : null;
  const name = make("th", { scope: "row" }, opener(row), more);
  const memory = numbered("td", true, peak === null ? NONE : quantity(peak, "B"));
  return line(name, ...listed.slice(1).map((column) => caseCell(column, row)), memory);
}

function showPick() {
  const bounds = list("pick");
  BOUNDS.forEach((id, index) => {
    if (document.activeElement !== find(id)) find(id).value = bounds[index] ?? "";
  });
  const rows = bounds.length ? picked(bounds) : [];
  const variants = [...grouped(rows, (row) => `${cells.model.text[row]}\n${facets.machine[row]}`).values()];
  const said = saidOfPick(rows.length, variants.length, bounds[0]);
  const rivals = saidOfRivals(variants.map(([row]) => row), bounds[0] !== "");
  find("pick-said").textContent = bounds.length ? said + rivals : PICK_HINT;
  find("picked").parentElement.hidden = rows.length === 0;
  const listed = columns.filter(({ name }) => pickColumns.has(name) && (name !== "task" || list("f.task").length));
  const head = [...listed, { heading: "peak memory", numeric: true }].map(headed);
  find("picked").replaceChildren(...tabled(head, variants.slice(0, LISTED).map((rows) => pickLine(rows, listed))));
}
