"""A call's page as a person uses it: join, be seen and heard, switch, send, leave, end."""

from __future__ import annotations

from urllib.parse import quote

from playwright.async_api import Locator

from harness.drivers.base import Live
from harness.errors import TargetError
from harness.model import Medium
from harness.targets.clinic.pages.devices import SEEN_S, Device

SOUND_S = 1.7
"""Two whole frames of an audio canary and a little: one of them is complete wherever a recording begins."""
FRAMES = 10


def address_of(consultation: str) -> str:
    """Return the address of a consultation's call."""
    return f"#/call/{quote(consultation, safe='')}"


async def join(device: Device, consultation: str) -> None:
    """Open the call's page and join; return when the call is connected, by whichever path."""
    await device.go(address_of(consultation))
    await _require_offered(device, "join", "join the call")
    await device.press("join the call", _button(device, "join"), _shows(device, state="connected"))


async def switch(device: Device, medium: Medium) -> None:
    """Press the switch's button; return when the call goes on in the medium."""
    what = f"switch to {medium}"
    there = _shows(device, state="connected", medium=medium, sending=medium)
    async with device.session.doing(f"be in the call, to {what}", SEEN_S):
        await _shows(device, state="connected").or_(_shows(device, state="ended")).first.wait_for(state="attached")
        if await there.count():
            return
    await _require_offered(device, f"switch-{medium}", what)
    await device.press(what, _button(device, f"switch-{medium}"), there)


async def send(device: Device, medium: Medium, live: Live) -> None:
    """Be seen and heard for a moment; return when that was sent, and, where it is uploaded, when it has arrived."""
    session, ready = device.session, _shows(device, state="connected", sending=medium)
    async with session.doing(f"send {medium}: be in a call by {medium}", SEEN_S):
        await ready.or_(_shows(device, state="ended")).first.wait_for(state="attached")
        if not await ready.count():
            raise TargetError(f"send {medium}: the call has ended", definite=True, code="call-ended")
    path, sent = await _way(device)
    await session.show(live)
    try:
        await session.until_sent(sound_s=SOUND_S, frames=FRAMES if medium == "video" else 0, within_s=SEEN_S)
    finally:
        await session.rest()
    if path == "upload":
        what = "send what was recorded up to here"
        await device.press(what, _button(device, "send-now"), _shows(device, sent=str(sent + 1)).or_(_trouble(device)))
    if (await _way(device))[0] != path:
        raise TargetError(f"send {medium}: the connection was lost in the middle", definite=False)
    await _require_no_trouble(device, f"send {medium}")


async def leave(device: Device) -> None:
    """Leave the call, or find that it has ended."""
    over = _shows(device, state="left").or_(_shows(device, state="ended")).first
    async with device.session.doing("look whether the call is over"):
        is_over = await over.count() > 0
    if not is_over:
        await device.press("leave the call", _button(device, "leave"), over)
    await _require_no_trouble(device, "leave the call")


async def end(device: Device) -> None:
    """End the call for everybody."""
    await _require_offered(device, "end", "end the call")
    await device.press("end the call", _button(device, "end"), _shows(device, state="ended"))
    await _require_no_trouble(device, "end the call")


def not_in_the_call(what: str) -> TargetError:
    """Return the refusal that a person meets who is not in the call: there is no page with such a button."""
    return TargetError(f"{what}: not in the call, so the pages offer it nowhere", definite=True, code="not-in-call")


def _button(device: Device, name: str) -> Locator:
    return device.call.get_by_test_id(name)


def _shows(device: Device, **data: str) -> Locator:
    """Return the call once it shows all of this."""
    return device.page.locator(
        "[data-testid=call]" + "".join(f'[data-{name}="{value}"]' for name, value in data.items())
    )


def _trouble(device: Device) -> Locator:
    return device.page.get_by_test_id("call-trouble").filter(visible=True)


async def _way(device: Device) -> tuple[str, int]:
    """Return by which path the call goes, and how many uploads became recordings."""
    async with device.session.doing("look at the call"):
        path, sent = [await device.call.get_attribute(name) for name in ("data-path", "data-sent")]
        return path or "", int(sent or 0)


async def _require_offered(device: Device, name: str, what: str) -> None:
    """Raise TargetError, definite, for a button that is not there: so do the pages refuse."""
    async with device.session.doing(f"{what}: look for the button"):
        if await _button(device, name).is_visible():
            return
        state = await device.call.get_attribute("data-state")
    raise TargetError(f"{what}: not offered, the call is {state}", definite=True, code="not-offered")


async def _require_no_trouble(device: Device, what: str) -> None:
    async with device.session.doing(f"{what}: look for trouble"):
        if await _trouble(device).count():
            raise TargetError(f"{what}: {await _trouble(device).inner_text()}", definite=False)
