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

/** True when the viewer is its patient, who alone shares and deletes it; a carer finds no such consultation. */
async function isOwn(item, signal) {
  if (session.me.role !== "patient") return false;
  const found = await get(path`/consultations/${item.consultation}`, signal).catch(() => null);
  return found?.patient === session.me.username;
}

function drawn(item, owned, signal) {
  const url = path`/replays/${item.id}`;
  const media = part(
    () => objectUrl(`${url}/media`, signal),
    (src) => player(item, src),
    { testid: "media" },
  );
  const doing = h(
    "div",
    { class: "actions" },
    button("Download", () => download(item), { testid: "download", kind: "small" }),
    owned && button("Delete", () => erase(item), { testid: "delete", kind: "small quiet danger" }),
  );
  const read = (words) => words && h("p", { class: "transcript", "data-testid": "transcript" }, words);
  const transcript = part(() => text(`${url}/transcript`, signal), read, { empty: "Nothing was written down." });
  const about = card("About this replay", facts(item), doing);
  const left = h("div", { class: "stack" }, about, item.transcript && card("Transcript", transcript));
  return [media, h("div", { class: "columns" }, left, owned && offered("carer-sharing") && sharing(item))];
}

export async function show(main, { args, signal }) {
  const item = await get(path`/replays/${args[0]}`, signal);
  const owned = await isOwn(item, signal);
  if (signal.aborted) return;
  const back = h("a", { href: "#/replays", class: "back" }, "All replays");
  const names = { "data-replay-id": item.id, "data-consultation-id": item.consultation };
  const parts = [back, head(item.title), drawn(item, owned, signal)];
  main.replaceChildren(h("article", { class: "stack", "data-testid": "replay-page", ...names }, parts));
}
