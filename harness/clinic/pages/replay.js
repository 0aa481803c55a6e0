/* One replay: its player, transcript, and what may be done with it. */

import { get, objectUrl, path, post, remove, save, text } from "./api.js";
import { ask, button, card, field, form, h, head, medium, part, size, tell, when } from "./dom.js";
import { called, offered, session } from "./session.js";

/** The player; recordings of a browser often lack their length, which a jump to the far end finds out. */
function player(item, src) {
  const node = h(item.medium, {
    controls: true,
    playsinline: true,
    preload: "auto",
    src,
    "data-testid": "player",
    "aria-label": item.title,
  });
  node.addEventListener("loadedmetadata", () => {
    if (node.duration !== Infinity) return;
    node.addEventListener("durationchange", () => (node.currentTime = 0), { once: true });
    node.currentTime = 1e7;
  });
  for (const name of ["playing", "pause", "ended", "error"])
    node.addEventListener(name, () => (node.dataset.state = name));
  node.addEventListener("loadeddata", () => (node.dataset.state ??= "ready"));
  return h("div", { class: "player" }, node);
}

function sharing(item) {
  const place = path`/replays/${item.id}/shares`;
  const row = (share) => {
    const carer = share.carer ?? share;
    const revoke = async () => {
      await remove(path`/replays/${item.id}/shares/${carer}`);
      tell(`${called(carer)} can no longer watch it.`);
      shared.reload();
    };
    return h(
      "li",
      { "data-testid": "share", "data-carer": carer },
      h("div", { class: "what" }, called(carer)),
      button("Revoke", revoke, {
        kind: "small quiet danger",
        testid: "revoke",
        label: `Revoke ${called(carer)}'s access`,
      }),
    );
  };
  const shared = part(
    () => get(place),
    ({ items }) => items.length && h("ul", { class: "rows" }, items.map(row)),
    { empty: "Shared with nobody." },
  );
  const work = async ({ carer }, node) => {
    await post(place, { carer });
    node.reset();
    tell(`${called(carer)} can watch it now.`);
    shared.reload();
  };
  return card(
    "Share with a carer",
    form(
      { testid: "share-form", submit: "Share", kind: "line", work },
      field("Their username", "carer", { required: true, autocapitalize: "none" }),
    ),
    shared,
  );
}

async function download(item) {
  const { url } = await post(path`/replays/${item.id}/link`);
  const whole = new URL(url, location.origin);
  await save(whole.pathname + whole.search, `${item.title}.webm`);
}

async function erase(item) {
  if (!(await ask("Delete this replay? It cannot be brought back.", "Delete it"))) return;
  await remove(path`/replays/${item.id}`);
  tell("The replay was deleted.");
  location.hash = "#/replays";
}

function facts(item) {
  const known = [
    ["With", called(item.with)],
    ["Recorded", when(item.recorded_at)],
    ["Medium", medium(item.medium)],
    ["Size", size(item.size)],
  ];
  return h(
    "dl",
    { class: "facts" },
    known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function drawn(item, signal) {
  const media = part(
    () => objectUrl(path`/replays/${item.id}/media`, signal),
    (src) => player(item, src),
    { testid: "media" },
  );
  const doing = h(
    "div",
    { class: "actions" },
    button("Download", () => download(item), { testid: "download", kind: "small" }),
    session.me.role === "patient" &&
      button("Delete", () => erase(item), { testid: "delete", kind: "small quiet danger" }),
  );
  const words =
    item.transcript &&
    card(
      "Transcript",
      part(
        () => text(path`/replays/${item.id}/transcript`, signal),
        (read) => h("p", { class: "transcript", "data-testid": "transcript" }, read),
        { empty: "Nothing was written down." },
      ),
    );
  const shares = session.me.role === "patient" && offered("carer-sharing") && sharing(item);
  return [
    media,
    h(
      "div",
      { class: "columns" },
      h("div", { class: "stack" }, card("About this replay", facts(item), doing), words),
      shares,
    ),
  ];
}

export async function show(main, { args, signal }) {
  const item = await get(path`/replays/${args[0]}`, signal);
  const back = h("a", { href: "#/replays", class: "back" }, "All replays");
  const page = h(
    "article",
    {
      class: "stack",
      "data-testid": "replay-page",
      "data-replay-id": item.id,
      "data-consultation-id": item.consultation,
    },
    back,
    head(item.title),
    drawn(item, signal),
  );
  main.replaceChildren(page);
}
