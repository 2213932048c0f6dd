// Pairs, theme and chapters, and the start: apply the choices of the address to the page.

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
