/* Elements are made of nodes and text alone: data never becomes markup. */

const SVG = document.getElementById("icons").namespaceURI;

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);
export const icon = (name) => svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));

/** Words for a failure, to stand near where it happened; the clinic's own status and code go with them. */
export function failed({ message, status, code }) {
  const told = { "data-testid": "error", "data-status": status, "data-code": code };
  return h("p", { class: "error", role: "alert", ...told }, message);
}

const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false });

/** A time as a person reads it, in an element that programs can read too. */
export function when(iso) {
  if (!iso) return h("span", { class: "muted" }, "any time");
  const moment = new Date(iso);
  return h("time", { datetime: iso }, `${DAY.format(moment).replace(",", "")}, ${TIME.format(moment)}`);
}

export const size = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
};

/** A short mark such as a medium or a status; `tone` is calm, good, warn or nothing. */
export const chip = (words, tone = "") => h("span", { class: `chip ${tone}` }, words);

export function medium(name) {
  const [symbol, words] = name === "video" ? ["video", "Video"] : ["mic", "Audio"];
  return h("span", { class: "chip", "data-mark": "medium" }, icon(symbol), words);
}

/** A button that is busy while its work goes on, and has the failure's words beside it. */
export function button(words, work, { testid, kind = "", symbol, label } = {}) {
  const node = h(
    "button",
    { type: "button", class: kind, "data-testid": testid, "aria-label": label },
    symbol && icon(symbol),
    words,
  );
  node.addEventListener("click", () => attempt(node, node, work));
  return node;
}

async function attempt(node, before, work) {
  if (node.getAttribute("aria-busy") === "true") return;
  before.parentElement?.querySelectorAll(":scope > .error").forEach((old) => old.remove());
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (failure) {
    if (failure.name !== "AbortError") before.after(failed(failure));
  } finally {
    node.removeAttribute("aria-busy");
  }
}

/** A form that hands its values to `work`, is busy meanwhile, and shows why it failed. */
export function form({ testid, submit, work, kind = "", label }, ...children) {
  const send = h(
    "button",
    { type: "submit", class: kind.includes("line") ? "" : "primary", "data-testid": testid && `${testid}-submit` },
    submit,
  );
  const last = h("div", { class: "actions" }, send);
  const node = h("form", { class: kind, "data-testid": testid, "aria-label": label }, children, last);
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(send, send, () => work(Object.fromEntries(new FormData(node)), node));
  });
  return node;
}

let fields = 0;

/** A labelled input; `props.tag` may be select or textarea, `hint` is read with it. */
export function field(label, name, { hint, tag = "input", options, ...props } = {}) {
  const id = `f-${name}-${(fields += 1)}`;
  const described = hint ? `${id}-hint` : undefined;
  const inner = options?.map(([value, words]) => h("option", { value, selected: value === props.value }, words)) ?? [];
  const control = h(tag, { id, name, "aria-describedby": described, "data-testid": `field-${name}`, ...props }, inner);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint && h("p", { id: described, class: "hint" }, hint),
  );
}

/** Radio buttons in a row; `options` are [value, words, icon]. */
export function choice(label, name, options, chosen) {
  const each = ([value, words, symbol]) =>
    h(
      "label",
      { class: "option" },
      h("input", { type: "radio", name, value, checked: value === chosen, "data-testid": `${name}-${value}` }),
      symbol && icon(symbol),
      h("span", {}, words),
    );
  return h("fieldset", { class: "choice" }, h("legend", {}, label), h("div", { class: "options" }, options.map(each)));
}

/** A part of a page that is loaded: it says that it loads, why it failed, or that there is nothing. */
export function part(load, draw, { empty, testid, kind = "" } = {}) {
  const node = h("div", { class: `part ${kind}`, "data-testid": testid, tabindex: "-1" });
  const reload = async () => {
    node.dataset.state = "loading";
    const isHere = node.contains(document.activeElement);
    if (!node.childElementCount) node.replaceChildren(h("p", { class: "loading", role: "status" }, "Loading…"));
    try {
      const drawn = draw(await load());
      const nothing = !drawn || (Array.isArray(drawn) && drawn.length === 0);
      node.replaceChildren(...(nothing ? [h("p", { class: "empty" }, empty ?? "Nothing here yet.")] : [drawn].flat()));
      node.dataset.state = nothing ? "empty" : "ready";
      if (isHere && !node.contains(document.activeElement)) node.focus();
    } catch (failure) {
      if (failure.name === "AbortError") return;
      node.replaceChildren(failed(failure), button("Try again", reload, { kind: "quiet" }));
      node.dataset.state = "failed";
    }
  };
  node.reload = reload;
  // What somebody is typing is worth more than what is new.
  node.refresh = () => (node.querySelector("form") ? undefined : reload());
  reload();
  return node;
}

export const card = (title, ...children) => h("section", { class: "card" }, title && h("h2", {}, title), children);

/** The page's head: its one h1 and a sentence. */
export const head = (title, words, ...beside) =>
  h(
    "div",
    { class: "head" },
    h("div", {}, h("h1", { tabindex: "-1" }, title), words && h("p", { class: "lead" }, words)),
    beside,
  );

/** A table whose columns are [heading, row -> node or text]. */
export function table(caption, columns, rows) {
  const row = (item) =>
    h(
      "tr",
      {},
      columns.map(([name, cell]) => h("td", { "data-label": name }, cell(item))),
    );
  const heads = h(
    "tr",
    {},
    columns.map(([name]) => h("th", { scope: "col" }, name)),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, heads), h("tbody", {}, rows.map(row))),
  );
}

/** Ask before something that cannot be undone; true when the person agrees. */
export function ask(question, agree) {
  return new Promise((answer) => {
    const box = h("dialog", { "aria-label": question });
    const close = (given) => () => box.close(given);
    box.append(
      h("p", {}, question),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "danger", "data-testid": "agree", onclick: close("yes") }, agree),
        h("button", { type: "button", class: "quiet", onclick: close("") }, "Keep it"),
      ),
    );
    box.addEventListener("close", () => {
      box.remove();
      answer(box.returnValue === "yes");
    });
    document.body.append(box);
    box.showModal();
  });
}

const TOLD_MS = 7000;
const FRESH_MS = 1500;

/** Take away what was told on the page before. */
export function hush() {
  for (const node of document.querySelectorAll(".toast")) if (Date.now() - node.dataset.since > FRESH_MS) node.remove();
}

/** Tell something in passing: seen in a corner, read out politely. */
export function tell(words, href) {
  const node = h("div", { class: "toast", "data-testid": "toast" }, href ? h("a", { href }, words) : words);
  const place = document.getElementById("notices");
  place.append(node);
  while (place.childElementCount > 3) place.firstElementChild.remove();
  setTimeout(() => node.remove(), TOLD_MS);
  node.dataset.since = Date.now();
}
