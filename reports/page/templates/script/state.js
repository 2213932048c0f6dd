// The payload, and the choices of a reader: a map from keys to lists of texts.
//
// The choices live behind the # of the address, keys sorted, defaults left out, lists joined with commas:
//   at=CHAPTER (alone also as #CHAPTER)   f.FACET=VALUE,…   q=WORDS   sort=COLUMN or -COLUMN   page=N   open=ROW
//   s.TABLE=COLUMN or -COLUMN   v.CHART=VIEW   pair=PAIR   pick=ACCURACY,MEMORY,LATENCY (%, MB, ms)   theme=light|dark

async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

let payload, plotly; // plotly is the source of Plotly
try {
  payload = JSON.parse(await unpack(find("payload")));
  plotly = await unpack(find("plotly")); // before all else, because a print does not wait
} catch (error) {
  throw new Error(`this browser cannot unpack them (${error.message})`);
}
const { templates, charts, cases } = payload;
const { cells, facets } = cases;
const total = cases.status.length;
const every = [...Array(total).keys()];
const values = {}; // by facet, of those that divide the cases
for (const [name, column] of Object.entries(facets)) {
  const known = [...new Set(column)].sort(collator.compare);
  if (known.length > 1) values[name] = known;
}


const names = Object.keys(charts).filter((name) => charts[name].length > 0 && find("chart-" + name));
const slugsOf = Object.fromEntries(names.map((name) => [name, charts[name].map(({ slug }) => slug)]));
const columns = [...cases.columns, { name: "remarks", heading: "remarks", title: "causes, warnings and notes" }];
const pairs = [...document.querySelectorAll("[data-pair]")].map((element) => element.dataset.pair);
const ordered = [...document.querySelectorAll("[data-order]")]; // tables with heads that sort

const amount = (text) => text === "" || (Number.isFinite(Number(text)) && Number(text) >= 0);
// Returns the valid part of the texts behind a key, by key. Invalid texts are ignored.
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
    return ""; // not a valid escape, so not a choice
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
