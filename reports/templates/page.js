"use strict";
// Draws the figures, follows light and dark, sorts and filters tables. Loads nothing and sends nothing.
(() => {
  const { templates, charts } = JSON.parse(document.getElementById("figures").textContent);
  const touch = matchMedia("(hover: none)").matches;
  const config = {
    displaylogo: false,
    displayModeBar: touch ? false : "hover",
    showSendToCloud: false,
    responsive: true,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "zoomIn2d", "zoomOut2d"],
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const shown = {};

  function draw(name, mode) {
    const view = charts[name][shown[name] || 0];
    const element = document.getElementById("chart-" + name);
    const height = view.layout.height;
    element.style.height = height + "px";
    const meta = view.layout.meta || {};
    element.style.minWidth = (meta.min_width || 0) + "px";
    element.style.maxWidth = meta.max_width ? meta.max_width + "px" : "";
    const layout = structuredClone(view.layout); // Plotly writes into what it is given
    layout.template = templates[mode || (dark.matches ? "dark" : "light")];
    if (touch) layout.dragmode = false; // a finger scrolls the page instead
    const data = structuredClone(view.data);
    // Names of points were laid out for a wide drawing; on a narrow one they would cover each other.
    if (element.clientWidth < 640) for (const trace of data) if (trace.mode === "markers+text") trace.mode = "markers";
    Plotly.react(element, data, layout, config);
    document.getElementById("takeaway-" + name).textContent = view.takeaway;
    element.setAttribute("aria-label", element.closest("section").querySelector("h2").textContent + ". " + view.takeaway);
  }
  const names = Object.keys(charts).filter((name) => charts[name].length > 0);
  const drawAll = (mode) => names.forEach((name) => draw(name, mode));

  for (const element of document.querySelectorAll(".js")) element.hidden = false;
  for (const select of document.querySelectorAll("[data-view]")) {
    select.value = "0";
    select.addEventListener("change", () => {
      shown[select.dataset.view] = Number(select.value);
      draw(select.dataset.view);
    });
  }
  drawAll();
  dark.addEventListener("change", () => drawAll());
  addEventListener("beforeprint", () => drawAll("light"));
  addEventListener("afterprint", () => drawAll());

  // Rows without a value stay last in both directions.
  function compare(a, b, sign) {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const difference = Number(a) - Number(b);
    return sign * (Number.isNaN(difference) ? a.localeCompare(b, "en") : difference);
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const body = table.tBodies[0];
        const key = (row) => row.cells[column].dataset.sort;
        body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b), sign)));
      });
    });
  }

  const filter = document.getElementById("filter");
  const rows = [...document.getElementById("case-table").tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      count += row.hidden ? 0 : 1;
    });
    document.getElementById("count").value = `${count} of ${rows.length} cases`;
  }
  filter.addEventListener("input", apply);
  apply();
})();
