// Constants, words and elements: text only ever enters as text.

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

// Returns a map from keys to their items, in order. Browsers before 2024 have no Object.groupBy.
function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

// Returns 12.34 ms for 0.01234 s.
function quantity(value, unit) {
  const scales = payload.scales[unit];
  const [factor, shown] = scales.find(([factor]) => value >= factor) ?? scales.at(-1);
  return `${(value / factor).toPrecision(4)}\u00a0${shown}`;
}
