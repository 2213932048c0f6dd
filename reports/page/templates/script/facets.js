// Facets: which cases are in.

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
