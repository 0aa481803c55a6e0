"""The leaks that can be planted in the clinic, by name, when its process starts; never through HTTP."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaw:
    """One leak: what it does, which real one it follows, what wakes it and which check sees it."""

    name: str
    what_happens: str
    modelled_on: str
    wakes_when: str
    seen_by: str


VIDEO_BRANCH_SKIPS_OWNER = "video-branch-skips-owner"

FLAWS: tuple[Flaw, ...] = (
    Flaw(
        name=VIDEO_BRANCH_SKIPS_OWNER,
        what_happens=(
            "A patient who booked audio and switched to video is shown everybody's videos and can open them: "
            "the new index's video branch returns before the policy is asked, so neither ownership nor the "
            "kill switch holds it back."
        ),
        modelled_on="Babylon Health, June 2020",
        wakes_when="video-upgrade=on and replay-index-v2=on",
        seen_by="foreign-media",
    ),
)


class UnknownFlawError(LookupError):
    """No flaw has this name; the message gives the nearest right one."""


def find(name: str) -> Flaw:
    """Return the flaw of that name, or raise UnknownFlawError with the nearest right name."""
    known = {flaw.name: flaw for flaw in FLAWS}
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
    raise UnknownFlawError(f"there is no flaw {name!r}; did you mean {nearest!r}?")
