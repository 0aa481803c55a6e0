"""The canary camera and microphone that stand in for a machine's own in every page of an actor.

`camera.js` overrides getUserMedia with a canvas and a WebAudio loop. Beside fake-device files it costs less, and it
can show another canary in mid-call.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.drivers.base import Live

WIDTH, HEIGHT, FRAMES_PER_S = 384, 216, 10
CODE_SHARE = 0.6
"""The largest share of the height that a code covers; at 5 whole pixels a module it is 0.58."""
LABEL = "Synthetic camera and microphone of the test harness"
BINDING = "harnessLive"

REFRESH = "() => globalThis.harnessCamera?.refresh()"
LOOK = "() => globalThis.harnessCamera?.look()"
SEND = "(wanted) => globalThis.harnessCamera.send(wanted)"
"""Functions, not expressions: a page's Content-Security-Policy may forbid eval."""

_SCRIPT = Path(__file__).with_name("camera.js")
_ROW = re.compile(r"[01]+")


@dataclass(frozen=True, slots=True)
class Emitted:
    """How much of a canary a page has emitted.

    `sound_s` and `frames` count while the tracks were live and not muted, and where peer connections carry them, no
    more than every connection has sent; `packets` are those of RTP, 0 without a peer connection. `microphone` and
    `camera` say what is on now, `connections` what carries it, for example `audio connected`.
    """

    canary: str = ""
    sound_s: float = 0.0
    frames: int = 0
    packets: int = 0
    microphone: bool = False
    camera: bool = False
    connections: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """True when the page has a camera or a microphone that is not muted."""
        return self.microphone or self.camera


def script() -> str:
    """Return the init script that gives a page the camera."""
    settings = {
        "width": WIDTH,
        "height": HEIGHT,
        "frameRate": FRAMES_PER_S,
        "share": CODE_SHARE,
        "label": LABEL,
        "live": BINDING,
    }
    return f"({_SCRIPT.read_text(encoding='utf-8')})({json.dumps(settings)});"


def wire(live: Live, turn: int) -> dict[str, object]:
    """Return what the page's camera is told when it asks; of two, it keeps the one with the higher turn.

    Raises ValueError for a code that is not square or does not fit the picture, and for sound that is none.
    """
    side = len(live.modules)
    if any(len(row) != side or not _ROW.fullmatch(row) for row in live.modules):
        raise ValueError(f"canary {live.canary}: its code is not a square of 0 and 1")
    if side > HEIGHT * CODE_SHARE:
        raise ValueError(f"canary {live.canary}: a code of {side} modules does not fit {HEIGHT} pixels of height")
    if not live.pcm or len(live.pcm) % 2:
        raise ValueError(f"canary {live.canary}: {len(live.pcm)} bytes are no sound of 16 bits")
    return {
        "canary": live.canary,
        "modules": list(live.modules),
        "pcm": base64.b64encode(live.pcm).decode(),
        "rate_hz": live.rate_hz,
        "turn": turn,
    }


def at_rest(turn: int) -> dict[str, object]:
    """Return what the page's camera takes to emit nothing at all: no packet, no frame."""
    return {"isAtRest": True, "canary": "", "modules": [], "pcm": "", "rate_hz": 0, "turn": turn}


def emitted(report: Mapping[str, Any] | None) -> Emitted:
    """Return a page's report; nothing for a page that has no camera, as where it is not served securely."""
    if report is None:
        return Emitted()
    return Emitted(
        canary=str(report["canary"]),
        sound_s=round(float(report["sound_s"]), 3),
        frames=int(report["frames"]),
        packets=int(report["packets"]),
        microphone=bool(report["microphone"]),
        camera=bool(report["camera"]),
        connections=tuple(report["connections"]),
    )
