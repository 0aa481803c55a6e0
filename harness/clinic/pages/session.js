/* Who is signed in, what they are offered, and what people are called. */

import { get, keepToken, post, token } from "./api.js";

export const session = { me: null, features: {} };
const names = new Map();

/** True when a flag is not off for who is signed in. */
export const offered = (flag) => (session.features[flag] ?? "off") !== "off";

/** What somebody is called; without their profile, their username up to where its flags begin. */
export const called = (username) => names.get(username) ?? username?.split("~")[0] ?? "nobody";

/** Remember the names that came along with items, so that people are called by them everywhere. */
export function learn(items) {
  for (const item of items) {
    if (item.patient_name) names.set(item.patient, item.patient_name);
    if (item.clinician_name) names.set(item.clinician, item.clinician_name);
  }
  return items;
}

/** Learn whom a clinician meets. */
export async function acquaint() {
  if (session.me.role !== "clinician") return;
  await get("/portal/agenda").then(
    ({ items }) => learn(items),
    () => undefined,
  );
}

export async function clinicians() {
  const { items } = await get("/clinicians");
  for (const { username, name } of items) names.set(username, name);
  return items;
}

export const refreshFeatures = async () => (session.features = await get("/me/features"));

/** Take up the token that is kept; false when there is none or it is no longer good. */
export async function resume() {
  session.me = null;
  if (!token()) return false;
  try {
    session.me = await get("/me");
  } catch (failure) {
    if (failure.status !== 401) throw failure;
    keepToken(null);
    return false;
  }
  names.set(session.me.username, session.me.name);
  // Names and features make the pages nicer; the pages must come up without them.
  await Promise.allSettled([refreshFeatures(), clinicians(), acquaint()]);
  return true;
}

export async function signIn(username, password) {
  const { token: given } = await post("/sign-in", { username, password });
  keepToken(given);
  await resume();
}

/** Be nobody on this page; the session itself may go on elsewhere. */
export function forget() {
  keepToken(null);
  session.me = null;
  session.features = {};
}

export async function signOut() {
  await post("/sign-out").catch(() => undefined);
  forget();
}
