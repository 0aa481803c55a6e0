/* The door: sign in, or open an account. */

import { post } from "./api.js";
import { button, choice, field, form, h, icon } from "./dom.js";
import { signIn } from "./session.js";

const CHARACTERS = "[A-Za-z0-9._~+\\-]{1,200}";
const ROLES = [
  ["patient", "Patient"],
  ["clinician", "Clinician"],
  ["pharmacist", "Pharmacist"],
];
const REGIONS = [
  ["north", "North"],
  ["south", "South"],
];
const ANOTHER = "insurer:";
const PAYERS = [
  ["public:riverside", "Riverside practice"],
  ["public:hillside", "Hillside practice"],
  ["insurer:meridian", "Meridian insurance"],
  [ANOTHER, "Another insurer"],
];

const username = (props) =>
  field("Username", "username", {
    required: true,
    pattern: CHARACTERS,
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    ...props,
  });
const password = (autocomplete) =>
  field("Password", "password", { required: true, type: "password", maxlength: "200", autocomplete });

function door(entered) {
  const work = async (given) => {
    await signIn(given.username, given.password);
    await entered();
  };
  return form(
    { testid: "sign-in", submit: "Sign in", label: "Sign in", work },
    username(),
    password("current-password"),
  );
}

/** The fields that belong to one role; a pharmacist says for which pharmacy they work. */
function particulars(role) {
  const region = field("Region", "region", { tag: "select", options: REGIONS, value: "north" });
  if (role === "patient") {
    const payer = field("Practice or insurer", "payer", { tag: "select", options: PAYERS, value: PAYERS[0][0] });
    const insurer = field("Which insurer", "insurer", { required: true, pattern: CHARACTERS });
    payer.addEventListener("change", ({ target }) =>
      target.value === ANOTHER ? payer.after(insurer) : insurer.remove(),
    );
    const member = field("Member number", "member_number", {
      pattern: CHARACTERS,
      hint: "As on your card. Without one, your username stands for it.",
    });
    return [payer, h("div", { class: "pair" }, member, region)];
  }
  if (role === "pharmacist")
    return [
      field("Pharmacy", "pharmacy", {
        required: true,
        pattern: CHARACTERS,
        placeholder: "for example riverside-pharmacy",
      }),
      region,
    ];
  return [region];
}

function desk(entered) {
  const more = h("div", { class: "more" });
  const redraw = (role) => more.replaceChildren(...particulars(role));
  const work = async ({ insurer = "", ...given }) => {
    if (given.payer === ANOTHER) given.payer += insurer;
    const account = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
    await post("/accounts", account);
    await signIn(given.username, given.password);
    await entered();
  };
  const roles = choice("I am a", "role", ROLES, "patient");
  roles.addEventListener("change", (event) => redraw(event.target.value));
  redraw("patient");
  const name = field("Name", "name", { required: true, maxlength: "200", autocomplete: "name" });
  return form(
    { testid: "open-account", submit: "Open the account", label: "Open an account", work },
    roles,
    name,
    h("div", { class: "pair" }, username({ hint: "Letters, digits and . _ ~ + -" }), password("new-password")),
    more,
  );
}

const PROMISES = [
  ["video", "See a clinician by audio or video, now or when it suits you."],
  ["replay", "Watch your own consultations again, whenever you like."],
  ["eye", "Only you, your clinician and whom you choose can see them."],
];

export function show(main, { entered }) {
  const place = h("div", { class: "place" });
  const tabs = [
    { words: "Sign in", opened: door, testid: "tab-sign-in" },
    { words: "Open an account", opened: desk, testid: "tab-open-account" },
  ];
  const choose = (chosen) => {
    place.replaceChildren(tabs[chosen].opened(entered));
    buttons.forEach((each, n) => each.setAttribute("aria-pressed", String(n === chosen)));
  };
  const buttons = tabs.map(({ words, testid }, n) => button(words, async () => choose(n), { testid }));
  choose(0);
  const promise = h(
    "ul",
    { class: "promise" },
    PROMISES.map(([symbol, words]) => h("li", {}, icon(symbol), h("span", {}, words))),
  );
  const greeting = h(
    "div",
    {},
    h("h1", { tabindex: "-1" }, "Your consultation, wherever you are"),
    h("p", { class: "lead" }, "Book, meet your clinician, and keep everything that was said in one place."),
    promise,
  );
  main.replaceChildren(
    h(
      "div",
      { class: "welcome" },
      greeting,
      h(
        "section",
        { class: "card", "aria-label": "Enter" },
        h("div", { class: "tabs", role: "group", "aria-label": "Enter by" }, buttons),
        place,
      ),
    ),
  );
}
