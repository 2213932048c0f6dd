// Charts, drawn when they come near the window.

// Returns the height of a chart with room for all rows of its legend, of which Plotly sets a single row aside.
function heightOf({ data, layout }, width) {
  const named = data.filter(({ name, showlegend }) => name && showlegend !== false);
  const widths = named.map(({ name }) => 50 + 6.5 * name.length);
  const room = width - (layout.yaxis?.type === "category" ? 200 : 80);
  if (layout.showlegend === false || widths.reduce((sum, own) => sum + own, 0) <= room) return layout.height;
  const across = Math.max(1, Math.floor(room / Math.max(...widths)));
  return layout.height + 19 * (Math.ceil(named.length / across) - 1);
}

// Removes ticks between the powers of ten: on a phone they would overlap.
function lighten(layout) {
  const axis = layout.xaxis;
  if ((axis?.ticktext ?? []).filter(Boolean).length < 7) return;
  axis.ticktext = axis.ticktext.map((text) => (text.startsWith("1") ? text : ""));
}

function drawChart(name, width) {
  const view = drawnOf(name);
  const { traces } = left(view);
  const layout = structuredClone(view.layout); // Plotly writes into what it is given
  layout.template = templates[width ? "light" : mode()];
  layout.height = heightOf(view, width ?? room());
  if (width) Object.assign(layout, { width, autosize: false });
  if (filtered()) refit(layout, traces);
  if (touch) layout.dragmode = false; // a finger scrolls the page instead
  if (!width && narrow.matches) lighten(layout);
  prune(layout, traces, width ?? room());
  Plotly.react(find("chart-" + name), traces, layout, CONFIG);
}

// Sets the parts that need no drawing, above all the size, so that the page does not move when the chart appears.
function prepare(name) {
  const view = viewOf(name);
  const drawn = drawnOf(name);
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
  element.style.height = `${heightOf(drawn, room())}px`;
  element.style.minWidth = least ? `${least}px` : "";
  element.style.maxWidth = most ? `${most}px` : "";
  element.setAttribute("aria-label", `${titleOf(name)}. ${view.takeaway}`);
  const note = find("note-" + name);
  note.textContent = filtered() && sifts(name) ? left(drawn).said : "";
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

// Runs Plotly, of which only the source was unpacked: it takes a second or two, and by now all else can be used.
function wakePlotly() {
  if (!window.Plotly) document.head.append(make("script", { text: plotly }));
}

// Draws a single chart a frame, so that a click is answered before everything is drawn.
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
      try {
        drawChart(due[0]);
      } finally {
        drawing = false; // a chart that fails must not keep the others from being drawn
        flush();
      }
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
  const head = heads.map((heading, index) => headed({ heading, numeric: numeric[index] }));
  const lines = rows.map((row) => line(...row.map((text, index) => numbered("td", numeric[index], text))));
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
  for (const name of names) [observer, resized].forEach((observing) => observing.observe(find("chart-" + name)));
  for (const select of document.querySelectorAll("[data-view]")) {
    const name = select.dataset.view;
    select.addEventListener("change", () => choose({ ["v." + name]: [slugsOf[name][select.value]] }));
  }
  for (const details of document.querySelectorAll("details.data")) {
    details.addEventListener("toggle", () => fillData(details));
  }
}
