"""What the pages of Consultation Replays show a person, beside what can be played there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from harness.model import Medium, Recording

MEDIA: Mapping[str, Medium] = {"Audio": "audio", "Video": "video"}
"""The pages' words for a medium."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list as it is drawn: its ids, its words, the medium's mark and where its link leads."""

    recording: str
    consultation: str
    title: str
    mark: str
    link: str

    @property
    def as_recording(self) -> Recording:
        """The entry as the protocol's recording; the medium is the one that the mark says."""
        return Recording(self.recording, self.consultation, MEDIA.get(self.mark, "audio"))


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A replay's own page as it is drawn: ids, heading, the medium's mark, and the player (`audio`, `video`).

    `played` is False when the player could not play what it was given.
    """

    recording: str
    consultation: str
    title: str
    mark: str
    player: str
    played: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What a user was shown last: the badge (None: no number), the list's total, entries, and pages by recording."""

    badge: int | None = None
    total: int | None = None
    entries: Sequence[Entry] = ()
    pages: Mapping[str, OwnPage] = field(default_factory=dict)

    @property
    def titles(self) -> Mapping[str, str]:
        """What each entry of the list is called."""
        return {entry.recording: entry.title for entry in self.entries}


def address_of(recording: str) -> str:
    """Return the address of a replay's own page."""
    return f"#/replays/{quote(recording, safe='')}"


def contradictions(shown: Shown) -> Sequence[str]:
    """Return a sentence for everything in which the list contradicts itself or the pages that were opened from it."""
    found = []
    for entry in shown.entries:
        if entry.mark not in MEDIA:
            found.append(f"{entry.recording} is marked '{entry.mark}', which is no medium")
        if entry.link != address_of(entry.recording):
            found.append(f"{entry.recording}'s link leads to {entry.link}")
        page = shown.pages.get(entry.recording)
        if page is None:
            continue
        pairs = {
            "id": (entry.recording, page.recording),
            "consultation": (entry.consultation, page.consultation),
            "title": (entry.title, page.title),
            "medium": (entry.mark, page.mark),
            "player": (MEDIA.get(entry.mark), page.player),
        }
        found += [
            f"{entry.recording}'s {what} is '{listed}' on the list and '{own}' on its own page"
            for what, (listed, own) in pairs.items()
            if listed != own
        ]
    return found
