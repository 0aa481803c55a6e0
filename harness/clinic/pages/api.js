/* The clinic's HTTP API. The token lives in sessionStorage, so that two tabs may be two people. */

const KEY = "clinic-token";
const TIMEOUT_MS = 20000;

/** A refusal or a failure, with words to show; `status` is 0 when the clinic was not reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const token = () => sessionStorage.getItem(KEY);

export function keepToken(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

/** The path made of fixed words and data: each `${}` is escaped for use in a URL. */
export const path = (words, ...data) =>
  words.reduce((whole, word, n) => whole + encodeURIComponent(data[n - 1]) + word);

async function refusal(response) {
  let told;
  try {
    told = (await response.json()).error;
  } catch {
    told = undefined;
  }
  const words = told?.message ?? `The clinic answered with status ${response.status}.`;
  if (response.status === 401 && token()) dispatchEvent(new Event("signed-out"));
  return new ApiError(response.status, told?.code ?? "unknown", words);
}

async function send(method, url, { body, raw, signal, limit = TIMEOUT_MS } = {}) {
  const headers = {};
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (raw !== undefined) headers["Content-Type"] = "application/octet-stream";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  const signals = [signal, limit && AbortSignal.timeout(limit)].filter(Boolean);
  let response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal: signals.length ? AbortSignal.any(signals) : undefined,
      cache: "no-store",
    });
  } catch (failure) {
    if (signal?.aborted) throw failure;
    const late = failure.name === "TimeoutError";
    throw new ApiError(
      0,
      "unreached",
      `The clinic ${late ? "takes too long to answer" : "cannot be reached"}. Try again in a moment.`,
    );
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function json(method, url, options) {
  const response = await send(method, url, options);
  return response.status === 204 || !response.headers.get("Content-Type")?.includes("json") ? null : response.json();
}

export const get = (url, signal) => json("GET", url, { signal });
export const post = (url, body, signal) => json("POST", url, { body, signal });
export const put = (url, body) => json("PUT", url, { body });
export const remove = (url) => json("DELETE", url);
export const putRaw = (url, raw) => json("PUT", url, { raw });
export const text = async (url, signal) => (await send("GET", url, { signal })).text();
export const blob = async (url, signal) => (await send("GET", url, { signal, limit: 0 })).blob();
export const stream = async (url, signal) => (await send("GET", url, { signal, limit: 0 })).body;

/** The address of bytes that only the token's holder may load; it is given back when the signal fires. */
export async function objectUrl(url, signal) {
  const made = URL.createObjectURL(await blob(url, signal));
  signal?.addEventListener("abort", () => URL.revokeObjectURL(made), { once: true });
  return made;
}

/** Save bytes that only the token's holder may load as a file of this name. */
export async function save(url, name) {
  const made = URL.createObjectURL(await blob(url));
  const link = document.createElement("a");
  link.href = made;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(made), 10000);
}
