"""Consultation Replays as a person uses them: the list to its end, and a replay in its player."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from harness.drivers.api import MAX_BODY_BYTES
from harness.errors import TargetError
from harness.targets.clinic.pages.devices import SEEN_S, Device, refusal
from harness.targets.clinic.pages.shown import Entry, OwnPage, address_of
from harness.targets.clinic.shared import MAX_PAGES

LIST = "#/replays"
OPEN_S = 30.0
_WHOLE = "[data-testid=replays][data-complete=true]"

_ENTRIES = """(rows) => rows.map((row) => ({
  recording: row.dataset.replayId,
  consultation: row.dataset.consultationId,
  title: row.querySelector("h3").textContent,
  mark: row.querySelector("[data-mark=medium]")?.textContent ?? "",
  link: row.querySelector("[data-testid=open-replay]").getAttribute("href"),
}))"""
# By the style object, which the pages' policy lets be: it forbids style sheets of others.
_MARK = """(rows, recordings) => {
  for (const row of rows.filter((row) => recordings.includes(row.dataset.replayId))) {
    row.style.outline = "5px solid #c1121f";
    row.style.outlineOffset = "-2px";
  }
}"""
# The player is let begin, and its bytes are taken from the blob that it plays.
_PLAY = """async (page, most) => {
  const player = page.querySelector("[data-testid=player]");
  const played = await player.play().then(() => true, () => false);
  player.pause();
  const own = {
    recording: page.dataset.replayId,
    consultation: page.dataset.consultationId,
    title: page.querySelector("h1").textContent,
    mark: page.querySelector("[data-mark=medium]")?.textContent ?? "",
    player: player.localName,
    played,
  };
  const blob = window.blobBehind(player.currentSrc || player.src);
  if (!blob || blob.size > most) return { own, size: blob?.size ?? -1, data: "" };
  const url = await new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
  return { own, size: blob.size, data: url.slice(url.indexOf(";base64,") + 8) };
}"""


async def read_list(device: Device) -> tuple[Sequence[Entry], int | None]:
    """Open the list and follow it to its end; return its entries and the total that it names.

    Raises TargetError: definite where the page shows a refusal, not definite for a list without an end.
    """
    await device.go(LIST)
    page = device.page
    section = page.get_by_test_id("replay-list")
    async with device.session.doing("see the replay list", SEEN_S):
        await section.and_(page.locator(":not([data-state=loading])")).wait_for()
        if await section.get_attribute("data-state") == "failed":
            raise await refusal("see the replay list", section.get_by_test_id("error"))
        if await section.get_attribute("data-state") == "empty":
            return (), 0
    entries = await _entries(device)
    for _ in range(MAX_PAGES):
        part, total, is_whole = await _extent(device)
        if is_whole:
            return entries, total
        known = {entry.recording for entry in entries}
        grown = page.locator(f'[data-testid=replays-total]:not([data-shown="{part}"])')
        await device.press("see more replays", page.get_by_test_id("replays-more"), grown.or_(page.locator(_WHOLE)))
        entries = await _entries(device)
        if known.issuperset(entry.recording for entry in entries) and not (await _extent(device))[2]:
            raise TargetError("the replay list: a page brought nothing new, and is not the last", definite=False)
    raise TargetError(f"the replay list: no end after {MAX_PAGES} pages", definite=False)


async def mark(device: Device, recordings: Collection[str]) -> None:
    """Frame these entries of the list that is shown, for a picture of it."""
    async with device.session.doing("mark entries of the replay list", SEEN_S):
        await device.page.get_by_test_id("replay").evaluate_all(_MARK, sorted(recordings))


async def badge_of(device: Device) -> int | None:
    """Return the number on the navigation's badge, once it was asked for; None when it has none.

    Raises TargetError, not definite, where the page was not answered when it asked for the number.
    """
    badge = device.page.get_by_test_id("badge")
    async with device.session.doing("see the badge", SEEN_S):
        await badge.and_(device.page.locator("[data-state=ready], [data-state=failed]")).wait_for(state="attached")
        state, count = [await badge.get_attribute(name) for name in ("data-state", "data-count")]
    if state == "failed":
        raise TargetError("the badge: the page asked for its number and has none", definite=False)
    return int(count) if count and count.isdecimal() else None


async def play(device: Device, recording: str) -> tuple[OwnPage, bytes]:
    """Open a replay's own page and play it; return what is shown, and the very bytes that the player has.

    Raises TargetError where the page refuses, definite when the clinic did.
    """
    await device.go(address_of(recording))
    page = device.page
    what = f"play {recording}"
    async with device.session.doing(what, OPEN_S):
        error = page.get_by_test_id("media").get_by_test_id("error")
        await page.locator("[data-testid=player][data-state]").or_(error).first.wait_for()
        if await error.count():
            raise await refusal(what, error)
        got = await page.get_by_test_id("replay-page").evaluate(_PLAY, MAX_BODY_BYTES)
    return OwnPage(**got["own"]), _bytes_of(got, what)


async def media_of(device: Device, recording: str) -> bytes:
    """Ask for a replay's bytes alone, in the page's session."""
    return await device.ask("GET", f"/replays/{quote(recording, safe='')}/media")


async def _extent(device: Device) -> tuple[str, int | None, bool]:
    """Return how much of the list is shown, in the page's own words, the total that it names, and if that is all."""
    async with device.session.doing("see how long the replay list is", SEEN_S):
        line = device.page.get_by_test_id("replays-total")
        shown, total = [await line.get_attribute(name) for name in ("data-shown", "data-total")]
        is_whole = await device.page.locator(_WHOLE).count() > 0
    return shown or "", int(total) if total and total.isdecimal() else None, is_whole


async def _entries(device: Device) -> Sequence[Entry]:
    async with device.session.doing("read the replay list", SEEN_S):
        rows = device.page.get_by_test_id("replays").get_by_test_id("replay")
        return [Entry(**row) for row in await rows.evaluate_all(_ENTRIES)]


def _bytes_of(got: Mapping[str, Any], what: str) -> bytes:
    if got["size"] < 0:
        raise TargetError(f"{what}: the player plays something that the page did not load", definite=False)
    if got["size"] > MAX_BODY_BYTES:
        raise TargetError(f"{what}: more than {MAX_BODY_BYTES} bytes", definite=False)
    return base64.b64decode(got["data"])
