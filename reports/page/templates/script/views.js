// What the filters leave of the view of a chart.

// The bar of buttons could be reached with the keyboard, inside an element that is an image to a screen reader.
const CONFIG = { displaylogo: false, displayModeBar: false, showSendToCloud: false, responsive: true };
const mode = () => text("theme") || (dark.matches ? "dark" : "light");
const near = new Set();
const stale = new Set(names);

let width; // of the charts without a width of their own, read once: reads between writes cost layouts
const room = () => (width ??= document.querySelector("main").clientWidth);
const titleOf = (name) => find("title-" + name).textContent;
const isPaired = (name) => charts[name][0].pair !== undefined;
const sifts = (name) => charts[name].some(({ data }) => data.some(({ meta }) => meta?.rows));

function viewOf(name) {
  const views = charts[name];
  if (isPaired(name)) return views.find(({ pair }) => pair === (text("pair") || pairs[0]));
  return views[Math.max(0, slugsOf[name].indexOf(text("v." + name)))];
}

// Returns what is drawn of a chart: its view, or with a filter those machines of all groups, in styles of their own.
function drawnOf(name) {
  const view = viewOf(name);
  const wanted = list("f.machine");
  const groups = charts[name].filter(({ whole }) => whole !== undefined && whole === view?.whole);
  if (groups.length < 2 || !wanted.length || wanted.length > payload.machine_styles.length) return view;
  const data = structuredClone(groups.flatMap(({ data }) => data));
  for (const { marker, line, meta } of data) {
    const { color, symbol, dash } = payload.machine_styles[wanted.indexOf(meta.machine)] ?? {};
    Object.assign(marker ?? {}, { color, symbol });
    Object.assign(line ?? {}, { color, dash });
  }
  const axis = (way) => joinedAxis(groups.map(({ layout }) => layout[way]));
  return { ...view, data, layout: { ...view.layout, xaxis: axis("xaxis"), yaxis: axis("yaxis") } };
}

// Returns an axis over the ranges of several, with the ticks of all.
function joinedAxis(axes) {
  const range = [Math.min(...axes.map(({ range }) => range[0])), Math.max(...axes.map(({ range }) => range[1]))];
  if (!axes[0].tickvals) return { ...axes[0], range };
  const ticks = new Map(); // a tick has its text where any axis shows it
  for (const { tickvals, ticktext } of axes) {
    tickvals.forEach((tick, index) => ticks.set(tick, ticks.get(tick) || ticktext[index]));
  }
  return { ...axes[0], range, tickvals: [...ticks.keys()], ticktext: [...ticks.values()] };
}

// Returns a trace of which only some points are left: every list with an entry for every point is cut.
function cut(value, length, kept) {
  if (Array.isArray(value)) return value.length === length ? kept.map((index) => value[index]) : value;
  if (value === null || typeof value !== "object") return value;
  const parts = Object.entries(value);
  return Object.fromEntries(parts.map(([key, part]) => [key, key === "colorscale" ? part : cut(part, length, kept)]));
}

function sieved(trace) {
  const rows = trace.meta?.rows;
  if (!rows) return structuredClone(trace);
  const kept = [...rows.keys()].filter((index) => shown[rows[index]]);
  return { ...cut(trace, rows.length, kept), meta: { ...trace.meta, rows: kept.map((index) => rows[index]) } };
}

// Returns the points that nothing beats in both directions, in the order of x.
function pareto(points, better) {
  const sign = better === "higher" ? -1 : 1;
  let best = -Infinity;
  const front = points
    .sort((a, b) => sign * (a.x - b.x) || b.y - a.y)
    .filter(({ y }) => y > best && ((best = y), true));
  return better === "higher" ? front.reverse() : front;
}

// Draws the fronts anew through the points that are left, fades the others, and says who is on them.
function renewFronts(traces) {
  const points = traces.flatMap(({ x, y, meta }) =>
    (meta?.rows ?? []).map((row, index) => ({ row, x: x[index], y: y[index] })),
  );
  const sides = grouped(points, ({ row }) => facets.machine[row]);
  const machines = new Map(); // that have the same models on their fronts
  const strong = new Set();
  for (const trace of traces.filter(({ meta }) => meta?.front)) {
    const { machine, front } = trace.meta;
    const on = pareto(machine === undefined ? points : (sides.get(machine) ?? []), front.x);
    trace.x = on.map(({ x }) => x);
    trace.y = on.map(({ y }) => y);
    for (const { row } of on) strong.add(row);
    const models = [...new Set(on.map(({ row }) => cells.model.text[row]))].join(", ");
    if (models) machines.set(models, [...(machines.get(models) ?? []), machine]);
  }
  for (const { meta, marker } of traces.filter(({ meta }) => meta?.faded)) {
    marker.opacity = meta.rows.map((row) => (strong.has(row) ? 1 : meta.faded));
  }
  return [...machines].map(([models, those]) => {
    const where = machines.size > 1 ? ` on ${those.join(" and ")}` : "";
    return `Pareto front${where}: ${models}.`;
  });
}

const counting = (traces) => traces.reduce((count, { meta }) => count + (meta?.rows?.length ?? 0), 0);

// Returns the traces of what the filters leave of a view, and what to say of that.
function left(view) {
  const sifted = view.data.map(sieved);
  const filled = new Set(sifted.filter(({ meta }) => meta?.rows?.length).map(({ legendgroup }) => legendgroup));
  const traces = sifted.filter(({ meta, legendgroup }) => !meta?.entry || filled.has(legendgroup));
  const fronts = renewFronts(traces);
  const [before, after] = [counting(view.data), counting(traces)];
  const count = `${whole(after)} of ${counted(before, "point")} shown; the sentence at the top covers all points.`;
  return { traces, said: (after < before ? [count, ...fronts] : fronts).join(" ") };
}

// Fits the axes to the points that the filters leave, and labels enough of the ticks that are still in sight.
function refit(layout, traces) {
  for (const way of ["x", "y"]) {
    const axis = layout[way + "axis"];
    const scale = axis?.type === "log" ? Math.log10 : Number;
    const positions = traces.flatMap((trace) => (trace.meta?.rows ? trace[way].map(scale) : []));
    if (!axis?.range || !positions.length) continue;
    const [low, high] = [Math.min(...positions), Math.max(...positions)];
    const pad = 0.08 * (high - low) || 0.05;
    axis.range = [Math.max(axis.range[0], low - pad), Math.min(axis.range[1], high + pad)];
    const seen = (tick) => scale(tick) >= axis.range[0] && scale(tick) <= axis.range[1];
    const round = (tick) => "125".includes(tick.toExponential()[0]);
    for (const kind of [round, () => true]) {
      if (!axis.ticktext) break;
      if (axis.tickvals.filter((tick, index) => seen(tick) && axis.ticktext[index]).length > 2) break;
      axis.ticktext = axis.tickvals.map((tick) => (kind(tick) ? whole(Number(tick.toPrecision(10))) : ""));
    }
  }
}
