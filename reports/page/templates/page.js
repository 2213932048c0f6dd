"use strict";
// Draws the charts, filters, sorts, picks and copies. Loads nothing and sends nothing.
//
// What a reader chose lives behind the # of the address, keys sorted, defaults left out, lists joined with commas:
//   at=CHAPTER (alone also as #CHAPTER)   f.FACET=VALUE,…   q=WORDS   sort=COLUMN or -COLUMN   page=N   open=ROW
//   s.TABLE=COLUMN or -COLUMN   v.CHART=VIEW   pair=PAIR   pick=ACCURACY,MEMORY,LATENCY (%, MB, ms)   theme=light|dark

// Says in place of an empty page that the script failed. The text and the tables of the page stay.
function fail(error) {
  for (const element of document.querySelectorAll(".js")) element.hidden = true;
  const message = document.createElement("p");
  message.className = "problems";
  message.setAttribute("role", "alert");
  message.textContent = `No charts, no filters and no table of cases: ${error.message}.`;
  document.getElementById("answer").prepend(message);
}

(async () => {
  const PAGE = 100; // rows of the table of cases at a time
  const PRINTED = 1000; // rows of it on paper
  const PRINT_WIDTH = 1000; // pixels, shrunk by page.css to A4 upright
  const NONE = "\u2013";
  const collator = new Intl.Collator("en", { numeric: true }); // resnet18 comes before resnet101
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wide = matchMedia("(min-width: 75rem)"); // these two as in page.css
  const narrow = matchMedia("(max-width: 40rem)");
  const touch = matchMedia("(hover: none)").matches;
  const find = (id) => document.getElementById(id);
  const whole = (count) => count.toLocaleString("en");
  const counted = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;

  // ---- Making elements: text only ever enters as text ----

  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties ?? {})) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  const line = (...cells) => make("tr", null, ...cells);
  const numbered = (tag, numeric, ...content) => make(tag, { className: numeric ? "n" : "" }, ...content);

  function headed({ name, heading, numeric, title }) {
    const look = { scope: "col", className: numeric ? "n" : "", title: title ?? "" };
    return make("th", { ...look, "data-column": name ?? "" }, heading);
  }

  const headsOf = (table) => [...table.tHead.rows[0].cells];
  const tabled = (heads, lines) => [make("thead", null, line(...heads)), make("tbody", null, ...lines)];

  function draw(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // Returns a map from each key to its items, in their order. Browsers before 2024 have no Object.groupBy.
  function grouped(items, keyOf) {
    const groups = new Map();
    for (const item of items) {
      const key = keyOf(item);
      if (groups.has(key)) groups.get(key).push(item);
      else groups.set(key, [item]);
    }
    return groups;
  }

  const SCALES = {
    s: [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]],
    B: [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]],
  };

  // Returns 12.34 ms for 0.01234 s.
  function quantity(value, unit) {
    const [factor, shown] = SCALES[unit].find(([factor]) => value >= factor) ?? SCALES[unit].at(-1);
    return `${(value / factor).toPrecision(4)}\u00a0${shown}`;
  }

  // ---- The payload ----

  async function unpack(element) {
    const bytes = Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(stream).text());
  }

  let payload;
  try {
    payload = await unpack(find("payload"));
  } catch (error) {
    throw new Error(`this browser cannot unpack them (${error.message})`);
  }
  const { templates, charts, cases } = payload;
  const { cells, facets } = cases;
  const total = cases.status.length;
  const every = [...Array(total).keys()];
  const values = {}; // of each facet that divides the cases
  for (const [name, column] of Object.entries(facets)) {
    const found = [...new Set(column)].sort(collator.compare);
    if (found.length > 1) values[name] = found;
  }

  // ---- What a reader chose: key → list of texts, as behind the # ----

  const names = Object.keys(charts).filter((name) => charts[name].length > 0 && find("chart-" + name));
  const slugsOf = Object.fromEntries(names.map((name) => [name, charts[name].map(({ slug }) => slug)]));
  const columns = [...cases.columns, { name: "remarks", heading: "remarks", title: "causes, warnings and notes" }];
  const pairs = [...document.querySelectorAll("[data-pair]")].map((element) => element.dataset.pair);
  const ordered = [...document.querySelectorAll("[data-order]")]; // tables with heads that sort

  const amount = (text) => text === "" || (Number.isFinite(Number(text)) && Number(text) >= 0);
  // What may stand behind each key; what may not is ignored.
  const accepted = {
    at: ([id]) => (id && find(id)?.matches("main > section") ? [id] : []),
    q: (words) => [words.join(",")],
    page: ([page]) => (/^[1-9]\d{0,5}$/.test(page) && page !== "1" ? [page] : []),
    open: ([row]) => (/^\d{1,7}$/.test(row) && Number(row) < total ? [row] : []),
    pair: ([pair]) => (pairs.includes(pair) && pair !== pairs[0] ? [pair] : []),
    pick: (bounds) => (bounds.length === 3 && bounds.every(amount) && bounds.some(Boolean) ? bounds : []),
    theme: ([theme]) => (["light", "dark"].includes(theme) ? [theme] : []),
  };
  for (const [name, known] of Object.entries(values)) {
    accepted["f." + name] = (chosen) => known.filter((value) => chosen.includes(value));
  }
  for (const table of ordered) {
    const known = ([order]) => headsOf(table).some(({ dataset }) => dataset.column === columnOf(order));
    accepted[table.dataset.order] = (orders) => (known(orders) ? orders.slice(0, 1) : []);
  }
  for (const name of names) {
    accepted["v." + name] = ([slug]) => (slugsOf[name].indexOf(slug) > 0 ? [slug] : []);
  }

  let state = new Map();
  const list = (key) => state.get(key) ?? [];
  const text = (key) => list(key)[0] ?? "";

  function put(into, key, chosen) {
    const kept = Object.hasOwn(accepted, key) ? accepted[key](chosen) : [];
    if (kept.some((value) => value !== "")) into.set(key, kept);
    else into.delete(key);
  }

  function decode(code) {
    try {
      return decodeURIComponent(code.replaceAll("+", " "));
    } catch {
      return ""; // no valid escape, so nobody's choice
    }
  }

  function parse(hash) {
    const parsed = new Map();
    for (const part of hash.replace(/^#/, "").split("&")) {
      const [key, ...rest] = part.split("=");
      if (rest.length === 0) put(parsed, "at", [decode(key)]);
      else put(parsed, decode(key), rest.join("=").split(",").map(decode));
    }
    return parsed;
  }

  function written() {
    const keys = [...state.keys()].sort();
    if (keys.length === 1 && keys[0] === "at") return "#" + encodeURIComponent(text("at"));
    const part = (key) => `${encodeURIComponent(key)}=${list(key).map(encodeURIComponent).join(",")}`;
    return "#" + keys.map(part).join("&");
  }

  // Writes a bare address where everything is as it was at first.
  const remember = () => history.replaceState(null, "", state.size ? written() : location.pathname + location.search);

  // Takes over some choices, { key: list of texts }, and shows what follows from them.
  function choose(choices) {
    for (const [key, chosen] of Object.entries(choices)) put(state, key, chosen);
    show(Object.keys(choices));
    remember();
  }

  // ---- Facets: which cases are in ----

  let shown = every.map(() => true);
  const filtered = () => Object.keys(values).some((name) => list("f." + name).length > 0);

  function sieve() {
    const chosen = Object.keys(values).map((name) => [facets[name], new Set(list("f." + name))]);
    const active = chosen.filter(([, wanted]) => wanted.size > 0);
    shown = every.map((row) => active.every(([column, wanted]) => wanted.has(column[row])));
  }

  function buildFacets() {
    const groups = Object.entries(values).map(([name, known]) => {
      const chips = known.map((value) => {
        const box = make("input", { type: "checkbox", name: "f." + name, value });
        return make("label", { className: "chip" }, box, make("span", null, value));
      });
      return make("fieldset", null, make("legend", null, cases.facet_titles[name] ?? name), ...chips);
    });
    const clear = make("button", { type: "button", id: "clear" }, "Clear");
    const box = make("details", { className: "filters", open: wide.matches });
    box.append(make("summary", null, "Filter", make("span", { id: "matched" })), make("div", null, ...groups, clear));
    Object.assign(find("facets"), { role: "search", ariaLabel: "Filter" });
    if (groups.length) find("facets").replaceChildren(box);
    wide.addEventListener("change", () => (box.open = wide.matches));
    box.addEventListener("change", ({ target }) => {
      const checked = [...box.querySelectorAll("input:checked")].filter(({ name }) => name === target.name);
      choose({ [target.name]: checked.map(({ value }) => value), page: [""] });
    });
    clear.addEventListener("click", () => {
      choose({ ...Object.fromEntries(Object.keys(values).map((name) => ["f." + name, []])), page: [""] });
      box.querySelector("summary").focus(); // the button has gone
    });
  }

  function showFacets() {
    for (const box of find("facets").querySelectorAll("input")) box.checked = list(box.name).includes(box.value);
    if (!find("matched")) return;
    const count = shown.filter(Boolean).length;
    find("matched").textContent = filtered() ? `${whole(count)} of ${counted(total, "case")}` : counted(total, "case");
    find("clear").hidden = !filtered();
  }

  // ---- Charts, drawn when they come near the window ----

  // The bar of buttons could be reached with the keyboard, inside what is an image to a screen reader.
  const CONFIG = { displaylogo: false, displayModeBar: false, showSendToCloud: false, responsive: true };
  const mode = () => text("theme") || (dark.matches ? "dark" : "light");
  const near = new Set();
  const stale = new Set(names);

  let width; // of all charts that have none of their own, read once: a reading among writings costs a layout each
  const room = () => (width ??= document.querySelector("main").clientWidth);
  const titleOf = (name) => find("title-" + name).textContent;
  const isPaired = (name) => charts[name][0].pair !== undefined;
  const sifts = (name) => charts[name].some(({ data }) => data.some(({ meta }) => meta?.rows));

  function viewOf(name) {
    const views = charts[name];
    if (isPaired(name)) return views.find(({ pair }) => pair === (text("pair") || pairs[0]));
    return views[Math.max(0, slugsOf[name].indexOf(text("v." + name)))];
  }

  // Returns a trace of which only some points are left: every list in it that has an entry for each point is cut.
  function cut(value, length, kept) {
    if (Array.isArray(value)) return value.length === length ? kept.map((place) => value[place]) : value;
    if (value === null || typeof value !== "object") return value;
    const parts = Object.entries(value);
    return Object.fromEntries(parts.map(([key, part]) => [key, key === "colorscale" ? part : cut(part, length, kept)]));
  }

  function sieved(trace) {
    const rows = trace.meta?.rows;
    if (!rows) return structuredClone(trace);
    const kept = [...rows.keys()].filter((place) => shown[rows[place]]);
    return { ...cut(trace, rows.length, kept), meta: { ...trace.meta, rows: kept.map((place) => rows[place]) } };
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

  // Draws the fronts anew through the points that are left, and says who is on them.
  function renewFronts(traces) {
    const points = traces.flatMap(({ x, y, meta }) =>
      (meta?.rows ?? []).map((row, place) => ({ row, x: x[place], y: y[place] })),
    );
    const sides = grouped(points, ({ row }) => facets.machine[row]);
    const machines = new Map(); // that have the same models on their fronts
    for (const trace of traces.filter(({ meta }) => meta?.front)) {
      const { machine, front } = trace.meta;
      const on = pareto(machine === undefined ? points : (sides.get(machine) ?? []), front.x);
      trace.x = on.map(({ x }) => x);
      trace.y = on.map(({ y }) => y);
      const models = [...new Set(on.map(({ row }) => cells.model.text[row]))].join(", ");
      if (models) machines.set(models, [...(machines.get(models) ?? []), machine]);
    }
    return [...machines].map(([models, those]) => {
      const where = machines.size > 1 ? ` on ${those.join(" and ")}` : "";
      return `Pareto front${where}: ${models}.`;
    });
  }

  const counting = (traces) => traces.reduce((count, { meta }) => count + (meta?.rows?.length ?? 0), 0);

  // Returns the traces of what the filters leave of a view, and what to say of that.
  function left(view) {
    const traces = view.data.map(sieved);
    const fronts = renewFronts(traces);
    const [before, after] = [counting(view.data), counting(traces)];
    const told = `${whole(after)} of ${counted(before, "point")} shown; the sentence at the top tells of all.`;
    return { traces, said: (after < before ? [told, ...fronts] : fronts).join(" ") };
  }

  // Returns the height of a chart with room for all rows of its legend, of which Plotly sets one aside.
  function heightOf({ data, layout }, width) {
    const named = data.filter(({ name, showlegend }) => name && showlegend !== false);
    const widths = named.map(({ name }) => 50 + 6.5 * name.length);
    const room = width - (layout.yaxis?.type === "category" ? 200 : 80);
    if (layout.showlegend === false || widths.reduce((sum, one) => sum + one, 0) <= room) return layout.height;
    const across = Math.max(1, Math.floor(room / Math.max(...widths)));
    return layout.height + 19 * (Math.ceil(named.length / across) - 1);
  }

  // On a phone names of points would cover each other, and so would the ticks between the powers of ten.
  function lighten(layout, traces) {
    for (const trace of traces) if (trace.meta?.rows) trace.mode = trace.mode?.replace("+text", "");
    const axis = layout.xaxis;
    if ((axis?.ticktext ?? []).filter(Boolean).length < 7) return;
    axis.ticktext = axis.ticktext.map((text) => (text.startsWith("1") ? text : ""));
  }

  function drawChart(name, width) {
    const view = viewOf(name);
    const { traces } = left(view);
    const layout = structuredClone(view.layout); // Plotly writes into what it is given
    layout.template = templates[width ? "light" : mode()];
    layout.height = heightOf(view, width ?? room());
    if (width) Object.assign(layout, { width, autosize: false });
    if (filtered()) refit(layout, traces);
    if (touch) layout.dragmode = false; // a finger scrolls the page instead
    if (!width && narrow.matches) lighten(layout, traces);
    Plotly.react(find("chart-" + name), traces, layout, CONFIG);
  }

  // Sets what is known without drawing, above all the size, so that nothing moves when the chart appears.
  function prepare(name) {
    const view = viewOf(name);
    const element = find("chart-" + name);
    const takeaway = find("takeaway-" + name);
    element.parentElement.hidden = !view;
    takeaway.textContent = view ? view.takeaway : "This pair has nothing to draw here.";
    const data = document.querySelector(`details.data[data-chart="${CSS.escape(name)}"]`);
    data.hidden = !view;
    if (!view) {
      data.open = false;
      find("note-" + name).hidden = true;
      return;
    }
    const { min_width: least, max_width: most } = view.layout.meta ?? {};
    element.style.height = `${heightOf(view, room())}px`;
    element.style.minWidth = least ? `${least}px` : "";
    element.style.maxWidth = most ? `${most}px` : "";
    element.setAttribute("aria-label", `${titleOf(name)}. ${view.takeaway}`);
    const note = find("note-" + name);
    note.textContent = filtered() && sifts(name) ? left(view).said : "";
    note.hidden = note.textContent === "";
    const select = document.querySelector(`[data-view="${CSS.escape(name)}"]`);
    if (select) select.value = String(charts[name].indexOf(view));
    fillData(data);
  }

  // What is too wide for a phone is scrolled, by keyboard as well.
  function reach({ target }) {
    const frame = target.parentElement;
    const label = `${titleOf(target.dataset.chart)}, scrolls sideways`;
    if (frame.scrollWidth > frame.clientWidth) Object.assign(frame, { tabIndex: 0, role: "group", ariaLabel: label });
    else ["tabindex", "role", "aria-label"].forEach((name) => frame.removeAttribute(name));
  }

  // Fits the axes to the points that the filters leave, and labels enough of the ticks that are still in sight.
  function refit(layout, traces) {
    for (const way of ["x", "y"]) {
      const axis = layout[way + "axis"];
      const scale = axis?.type === "log" ? Math.log10 : Number;
      const places = traces.flatMap((trace) => (trace.meta?.rows ? trace[way].map(scale) : []));
      if (!axis?.range || !places.length) continue;
      const [low, high] = [Math.min(...places), Math.max(...places)];
      const pad = 0.08 * (high - low) || 0.05;
      axis.range = [Math.max(axis.range[0], low - pad), Math.min(axis.range[1], high + pad)];
      const seen = (tick) => scale(tick) >= axis.range[0] && scale(tick) <= axis.range[1];
      const round = (tick) => "125".includes(tick.toExponential()[0]);
      for (const kind of [round, () => true]) {
        if (!axis.ticktext) break;
        if (axis.tickvals.filter((tick, place) => seen(tick) && axis.ticktext[place]).length > 2) break;
        axis.ticktext = axis.tickvals.map((tick) => (kind(tick) ? whole(Number(tick.toPrecision(10))) : ""));
      }
    }
  }

  // Runs Plotly, which stands in the page as text: it takes a second or two, and by now all else can be used.
  function wakePlotly() {
    if (!window.Plotly) document.head.append(make("script", { text: find("plotly").textContent }));
  }

  // One chart after each frame, so that a click is answered before everything is drawn.
  let drawing = false;
  function flush() {
    if (drawing) return;
    const due = names.filter((name) => near.has(name) && stale.has(name) && viewOf(name));
    if (!due.length) return;
    drawing = true;
    requestAnimationFrame(() =>
      setTimeout(() => {
        wakePlotly();
        stale.delete(due[0]);
        drawChart(due[0]);
        drawing = false;
        flush();
      }),
    );
  }

  function redraw(some) {
    for (const name of some) stale.add(name);
    flush();
  }

  // The data of a chart, made when its <details> is opened.
  function fillData(details) {
    if (!details?.open || !viewOf(details.dataset.chart)) return;
    const { heads, numeric, rows } = viewOf(details.dataset.chart).table;
    const label = `Data: ${titleOf(details.dataset.chart)}`;
    const head = heads.map((heading, place) => headed({ heading, numeric: numeric[place] }));
    const lines = rows.map((row) => line(...row.map((text, place) => numbered("td", numeric[place], text))));
    const table = make("table", null, ...tabled(head, lines));
    const region = make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label }, table);
    details.replaceChildren(details.querySelector("summary"), region);
  }

  function buildCharts() {
    const watch = (entries) => {
      for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target.dataset.chart);
      flush();
    };
    const observer = new IntersectionObserver(watch, { rootMargin: "400px" });
    const resized = new ResizeObserver((entries) => entries.forEach(reach));
    for (const name of names) [observer, resized].forEach((one) => one.observe(find("chart-" + name)));
    for (const select of document.querySelectorAll("[data-view]")) {
      const name = select.dataset.view;
      select.addEventListener("change", () => choose({ ["v." + name]: [slugsOf[name][select.value]] }));
    }
    for (const details of document.querySelectorAll("details.data")) {
      details.addEventListener("toggle", () => fillData(details));
    }
  }

  // ---- Tables whose heads sort them ----

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

  // ---- Every case ----

  let texts; // of each case everything that the table says, in small letters; made for the first search
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

  function caseLine(row) {
    const open = text("open") === String(row);
    const name = make("th", { scope: "row" }, opener(row, open));
    const shown = line(name, ...columns.slice(1).map((column) => caseCell(column, row)));
    shown.classList.toggle("failed", cases.status[row] !== "ok");
    if (!open) return [shown];
    return [shown, make("tr", { className: "opened" }, make("td", { colSpan: columns.length }, caseDetails(row)))];
  }

  function showCases() {
    const rows = chosenCases();
    if (Number(text("page")) > Math.ceil(rows.length / PAGE)) state.delete("page");
    const page = Number(text("page") || 1);
    fillCases(rows.slice((page - 1) * PAGE, page * PAGE));
    if (document.activeElement !== find("search")) find("search").value = text("q");
    find("count").textContent = `${whole(rows.length)} of ${counted(total, "case")}`;
    showPages(rows.length, page);
  }

  function fillCases(rows) {
    const none = line(make("td", { colSpan: columns.length }, "No case passes the filters and the search."));
    find("case-table").tBodies[0].replaceChildren(...(rows.length ? rows.flatMap(caseLine) : [none]));
  }

  // The buttons stay the same ones, or each turn would take the focus away.
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

  // ---- One case ----

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
    const found = columns.filter(({ name }) => cells[name]?.reason?.[row]);
    const pair = ({ name, heading }) => [make("dt", null, heading), make("dd", null, cells[name].reason[row])];
    return found.map((column) => make("div", null, ...pair(column)));
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

  // Draws the steps of each process as a strip of dots on one common scale.
  function samples(replicates) {
    const all = replicates.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const strips = replicates.map((values, place) => {
      const sorted = [...values].sort((a, b) => a - b);
      const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
      const name = make("th", { scope: "row" }, `process ${place + 1}`);
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
    // Neighbours in value go to heights a golden section apart, so that equal times do not hide each other.
    const y = (place) => (5 + ((place * 0.618034) % 1) * (height - 10)).toFixed(1);
    const dots = sorted.map((value, place) => draw("circle", { cx: x(value), cy: y(place), r: 2.2 }));
    const middle = draw("line", { x1: x(median), x2: x(median), y1: 1, y2: height - 1 });
    const look = { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", class: "strip" };
    return draw("svg", look, ...dots, middle);
  }

  // ---- Pick for me ----

  const BOUNDS = ["pick-accuracy", "pick-memory", "pick-latency"];
  const LISTED = 10;
  const PICK_HINT =
    "Give one or more bounds. Latency is that of a whole batch. Filters apply; training counts where they ask for it.";
  const TOLD = new Set(["model", "machine", "batch_size", "image_size", "precision", "runtime", "layout"]);
  for (const name of ["latency_s", "throughput_img_per_s", "imagenet_top1"]) TOLD.add(name);

  // Returns the successful cases within the bounds, best first: the fastest where an accuracy is asked for, or else
  // the most accurate. Training takes part only where the filter asks for it.
  function picked([accuracy, memory, latency]) {
    const { imagenet_top1, latency_s, throughput_img_per_s, peak_bytes } = cases.numbers;
    const fits = (value, bound, sign) => bound === "" || (value !== null && sign * value <= sign * Number(bound));
    const task = list("f.task").length ? () => true : (row) => facets.task?.[row] !== "training";
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

  function pickLine(settings, told) {
    const [row, ...others] = settings;
    const peak = cases.numbers.peak_bytes[row];
    const more = others.length ? make("small", null, ` +${counted(others.length, "setting")}`) : null;
    const name = make("th", { scope: "row" }, opener(row), more);
    const memory = numbered("td", true, peak === null ? NONE : quantity(peak, "B"));
    return line(name, ...told.slice(1).map((column) => caseCell(column, row)), memory);
  }

  function showPick() {
    const bounds = list("pick");
    BOUNDS.forEach((id, place) => {
      if (document.activeElement !== find(id)) find(id).value = bounds[place] ?? "";
    });
    const rows = bounds.length ? picked(bounds) : [];
    const variants = [...grouped(rows, (row) => `${cells.model.text[row]}\n${facets.machine[row]}`).values()];
    find("pick-said").textContent = bounds.length ? saidOfPick(rows.length, variants.length, bounds[0]) : PICK_HINT;
    find("picked").parentElement.hidden = rows.length === 0;
    const told = columns.filter(({ name }) => TOLD.has(name) || (name === "task" && list("f.task").length));
    const head = [...told, { heading: "peak memory", numeric: true }].map(headed);
    find("picked").replaceChildren(...tabled(head, variants.slice(0, LISTED).map((rows) => pickLine(rows, told))));
  }

  // ---- Pairs, theme, chapters ----

  function showPair() {
    const pair = text("pair") || pairs[0];
    if (find("pair")) find("pair").value = pair;
    for (const element of document.querySelectorAll("[data-pair]")) element.hidden = element.dataset.pair !== pair;
  }

  function showTheme() {
    find("theme").value = text("theme");
    if (text("theme")) document.documentElement.dataset.theme = text("theme");
    else delete document.documentElement.dataset.theme;
  }

  // Marks the chapter that is read in the contents.
  function followReading() {
    const links = [...document.querySelectorAll("#contents a")];
    const mark = (entries) => {
      const entered = entries.find(({ isIntersecting }) => isIntersecting);
      if (!entered) return;
      const read = "#" + (entered.target.closest("section")?.id ?? "answer");
      for (const link of links) link.ariaCurrent = link.hash === read ? "true" : null;
    };
    const observer = new IntersectionObserver(mark, { rootMargin: "-15% 0px -80% 0px" });
    const above = document.querySelectorAll("header, #contents"); // on a phone they fill the window at first
    for (const seen of [...document.querySelectorAll("main > section"), ...above]) observer.observe(seen);
  }

  // ---- Print: light, every chart, every case that passes the filters ----

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

  // ---- From choices to what is shown ----

  function show(changed) {
    const some = (...starts) => changed.some((key) => starts.some((start) => key.startsWith(start)));
    const sifted = some("f.");
    if (some("theme")) showTheme();
    if (some("pair")) showPair();
    if (sifted) sieve();
    if (sifted) showFacets();
    if (sifted || some("q", "sort", "page", "open")) showCases();
    if (sifted || some("pick")) showPick();
    for (const key of changed) orders[key]?.();
    const affected = names.filter(
      (name) => changed.includes("v." + name) || (sifted && sifts(name)) || (some("pair") && isPaired(name)),
    );
    affected.forEach(prepare);
    redraw(some("theme") ? names : affected);
  }

  const everything = Object.keys(accepted).concat("f.");
  const goTo = (id) => id && find(id).scrollIntoView();

  function resettle() {
    width = undefined;
    names.forEach(prepare);
    redraw(names);
  }

  // A plain link to a chapter keeps all other choices; any other address replaces them.
  function follow() {
    const parsed = parse(location.hash);
    if (parsed.size === 1 && parsed.has("at") && !location.hash.includes("=")) {
      put(state, "at", parsed.get("at"));
    } else {
      state = parsed;
      show(everything);
    }
    remember();
    goTo(text("at"));
  }

  for (const element of document.querySelectorAll(".js")) element.hidden = false;
  buildFacets();
  buildCharts();
  buildCases();
  buildPick();
  const orders = Object.fromEntries(ordered.map((table) => [table.dataset.order, sortable(table)]));
  state = parse(location.hash);
  find("theme").addEventListener("change", () => choose({ theme: [find("theme").value] }));
  find("pair")?.addEventListener("change", () => choose({ pair: [find("pair").value] }));
  show(everything);
  followReading();
  dark.addEventListener("change", () => redraw(names));
  for (const query of [narrow, wide]) query.addEventListener("change", resettle);
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  const opened = find("case-table").querySelector(`[data-open="${text("open")}"]`);
  if (text("at")) goTo(text("at"));
  else opened?.scrollIntoView({ block: "center" });
  document.documentElement.dataset.ready = Math.round(performance.now()); // ms until all but the charts could be used
  setTimeout(wakePlotly, 300); // while the answer is read
})().catch(fail);
