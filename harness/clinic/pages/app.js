/* The frame: who is signed in, which page the address names, the navigation and its badge. */

import { get } from "./api.js";
import { button, failed, h, hush, icon, tell } from "./dom.js";
import * as live from "./live.js";
import { forget, resume, session, signOut } from "./session.js";

const inbox = ["inbox", "Inbox", "inbox", () => import("./inbox.js")];
const replays = ["replays", "Replays", "replay", () => import("./replays.js")];
const PLACES = {
  patient: [
    ["", "Consultations", "calendar", () => import("./home.js")],
    replays,
    ["prescriptions", "Prescriptions", "pill", () => import("./prescriptions.js")],
    ["health", "Health", "heart", () => import("./health.js")],
    inbox,
  ],
  clinician: [
    ["", "Agenda", "calendar", () => import("./agenda.js")],
    replays,
    ["patients", "Patients", "people", () => import("./patients.js")],
    ["problem", "Problem", "flag", () => import("./problem.js")],
    inbox,
  ],
  pharmacist: [["", "Prescriptions", "pill", () => import("./pharmacy.js")], inbox],
  operator: [
    ["", "Access", "switch", () => import("./operator.js")],
    ["log", "Access log", "eye", () => import("./operator-log.js")],
    ["problems", "Problems", "flag", () => import("./operator-problems.js")],
    ["outbox", "Outbox", "inbox", () => import("./operator-outbox.js")],
  ],
};
const IN_CALL = ["call", "Call", null, () => import("./call.js")];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const account = document.getElementById("account");
const clinicName = document.body.dataset.clinic;
let leaving = new AbortController();

function parts() {
  return location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .map((each) => {
      try {
        return decodeURIComponent(each);
      } catch {
        return each;
      }
    });
}

function drawFrame() {
  const places = PLACES[session.me?.role] ?? [];
  nav.hidden = account.hidden = !session.me;
  if (session.me) document.body.dataset.role = session.me.role;
  else delete document.body.dataset.role;
  const link = ([place, words, symbol]) =>
    h(
      "li",
      {},
      h(
        "a",
        { href: `#/${place}`, "data-place": place, "data-testid": `nav-${place || "home"}` },
        icon(symbol),
        h("span", {}, words),
        place === "replays" && h("span", { class: "badge", "data-testid": "badge", hidden: true }),
      ),
    );
  nav.replaceChildren(h("ul", {}, places.map(link)));
  if (!session.me) return account.replaceChildren();
  const who = h(
    "div",
    { class: "who", "data-testid": "who", "data-username": session.me.username },
    h("strong", {}, session.me.name),
    h("div", { class: "muted" }, session.me.role),
  );
  account.replaceChildren(who, button("Sign out", leave, { testid: "sign-out", kind: "quiet small" }));
}

async function leave() {
  live.stop();
  await signOut();
  history.replaceState(null, "", "#/");
  await enter();
}

/** Ask how many replays there are; where none may be seen, there is no number. */
async function count() {
  const badge = nav.querySelector(".badge");
  if (!badge) return;
  badge.dataset.state = "loading";
  try {
    const answer = await get("/replays/count");
    badge.replaceChildren(
      h("span", { "aria-hidden": "true" }, String(answer.count)),
      h("span", { class: "unseen" }, `, ${answer.count} to watch`),
    );
    badge.dataset.count = answer.count;
    badge.hidden = answer.count === 0;
    badge.dataset.state = "ready";
  } catch {
    badge.hidden = true;
    delete badge.dataset.count;
    badge.dataset.state = "failed";
  }
}

async function page(signal) {
  if (!session.me) return (await import("./signin.js")).show(main, { entered: enter });
  const [place, ...args] = parts();
  const places = [...(PLACES[session.me.role] ?? []), IN_CALL];
  const found = places.find(([name]) => name === place);
  if (!found) {
    const back = h("p", {}, h("a", { href: "#/" }, "Back to the beginning"));
    return main.replaceChildren(h("h1", { tabindex: "-1" }, "There is no such page"), back);
  }
  for (const link of nav.querySelectorAll("a")) {
    if (link.dataset.place === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = await found[3]();
  if (!signal.aborted) await view.show(main, { args, signal });
}

async function draw() {
  leaving.abort();
  hush();
  leaving = new AbortController();
  const { signal } = leaving;
  main.dataset.page = session.me ? parts()[0] || "home" : "sign-in";
  main.dataset.address = location.hash;
  main.dataset.state = "loading";
  try {
    await page(signal);
  } catch (failure) {
    if (signal.aborted) return;
    main.replaceChildren(
      h("h1", { tabindex: "-1" }, "Something went wrong"),
      failed(failure),
      button("Try again", draw),
    );
  }
  if (signal.aborted) return;
  main.dataset.state = "ready";
  const title = main.querySelector("h1");
  document.title = session.me && title ? `${title.textContent} · ${clinicName}` : clinicName;
  scrollTo(0, 0);
  if (session.me) {
    title?.focus({ preventScroll: true });
    count();
  }
}

async function enter() {
  drawFrame();
  if (session.me) live.start();
  await draw();
}

live.notices.addEventListener("notice", ({ detail }) => {
  const call = detail.consultation && location.hash.includes(encodeURIComponent(detail.consultation));
  if (!call) tell(detail.text, "#/inbox");
  count();
});
addEventListener("hashchange", draw);
addEventListener("signed-out", async () => {
  if (!session.me) return;
  live.stop();
  forget();
  await enter();
  tell("You were signed out. Please sign in again.");
});

try {
  await resume();
} catch (failure) {
  main.replaceChildren(
    h("h1", { tabindex: "-1" }, "The clinic cannot be reached"),
    failed(failure),
    button("Try again", async () => location.reload()),
  );
}
if (!main.querySelector("h1")) await enter();
