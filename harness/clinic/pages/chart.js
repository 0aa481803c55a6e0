/* Measurements as a small line chart, and the same as a table for whoever does not see it. */

import { field, h, part, svg, table, when } from "./dom.js";
import { everything } from "./lists.js";

export const KINDS = [
  { kind: "pulse", words: "Pulse", unit: "1/min" },
  { kind: "blood-pressure-systolic", words: "Blood pressure, systolic", unit: "mmHg" },
  { kind: "blood-pressure-diastolic", words: "Blood pressure, diastolic", unit: "mmHg" },
  { kind: "weight", words: "Weight", unit: "kg" },
  { kind: "temperature", words: "Temperature", unit: "°C" },
  { kind: "glucose", words: "Blood glucose", unit: "mmol/l" },
];
const WIDTH = 520;
const HEIGHT = 200;
const LEFT = 44;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 26;
const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});

const named = (kind) => KINDS.find((each) => each.kind === kind)?.words ?? kind;
const round = (value) => String(Math.round(value * 10) / 10);

function chart(kind, items) {
  const times = items.map(({ measured_at: at }) => Date.parse(at));
  const values = items.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * 0.15;
  const [bottom, top] = [low - margin, high + margin];
  const [first, last] = [times[0], times.at(-1)];
  const x = (time) =>
    last === first ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + ((time - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const level = (value) => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, round(value)),
  ];
  const points = values.map((value, n) => [x(times[n]), y(value)]);
  const words = `${named(kind)}: ${items.length} measurements between ${round(low)} and ${round(high)} ${items[0].unit}, the latest ${round(values.at(-1))}.`;
  const levels = high === low ? [low] : [low, (low + high) / 2, high];
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
    levels.map(level),
    svg("polyline", { class: "trace", points: points.map((point) => point.join(",")).join(" ") }),
    points.map(([cx, cy]) => svg("circle", { class: "dot", cx, cy, r: 4 })),
    svg("text", { x: LEFT, y: HEIGHT - 6 }, SHORT.format(first)),
    last !== first && svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, SHORT.format(last)),
  );
}

/** A figure of measurements of one kind, in whatever order they come. */
function figure(kind, items) {
  const inOrder = [...items].sort((one, other) => Date.parse(one.measured_at) - Date.parse(other.measured_at));
  const columns = [
    ["When", (item) => when(item.measured_at)],
    ["Value", (item) => `${item.value} ${item.unit}`],
  ];
  return h("figure", { class: "stack" }, chart(kind, inOrder), table(named(kind), columns, inOrder.toReversed()));
}

/** A choice of kinds and the figure of the chosen one; `choose` shows another and loads anew. */
export function measurements(url, signal) {
  let kind = null;
  const choose = async (wanted) => {
    kind = wanted;
    await node.reload();
  };
  const draw = (items) => {
    const kinds = [...new Set(items.map((item) => item.kind))];
    if (!kinds.length) return null;
    kind = kinds.includes(kind) ? kind : kinds[0];
    const options = kinds.map((each) => [each, named(each)]);
    const select = field("Show", "shown", { tag: "select", options, value: kind });
    const place = h(
      "div",
      {},
      figure(
        kind,
        items.filter((item) => item.kind === kind),
      ),
    );
    select.addEventListener("change", ({ target }) => {
      kind = target.value;
      place.replaceChildren(
        figure(
          kind,
          items.filter((item) => item.kind === kind),
        ),
      );
    });
    return [select, place];
  };
  const node = part(() => everything(url, signal), draw, { empty: "Nothing was recorded yet.", testid: "metrics" });
  return { node, choose };
}
