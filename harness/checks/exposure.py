"""Who met media that they may not see: foreign-media in what they were shown, reachable-media by direct reference."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.meetings import ELSEWHERE, Meeting, content, is_of_replays, is_own, listed, reference
from harness.ledger import Action, Entry, Ledger
from harness.model import Degree, Finding, Verdict, degree_rank
from harness.provenance import derive

VERBS = {Action.LIST: "held", Action.OPEN: "served", Action.READ: "showed", Action.HEAR: "brought"}


@dataclass(slots=True)
class Exposure:
    """One viewer's meeting with one recording, to the highest degree that the ledger shows."""

    meeting: Meeting
    degree: Degree = "presented"
    evidence: list[int] = field(default_factory=list)


class Exposures:
    """Exposures by viewer and recording; of what has no recording's id, such as an export, by its surface."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Exposure] = {}

    def __iter__(self) -> Iterator[Exposure]:
        return iter(self._found.values())

    def get(self, viewer: str, recording: str) -> Exposure | None:
        """Return what is known of a viewer and a recording."""
        return self._found.get((viewer, recording))

    def add(self, degree: Degree, meeting: Meeting) -> None:
        """Add what an entry shows; a higher degree says anew whose media it is."""
        key = meeting.viewer, meeting.recording or meeting.entry.data["surface"]
        exposure = self._found.setdefault(key, Exposure(meeting, degree))
        exposure.evidence += [*meeting.made, meeting.entry.seq]
        if degree_rank(degree) > degree_rank(exposure.degree):
            exposure.degree, exposure.meeting = degree, meeting


def foreign_media(ledger: Ledger) -> list[Finding]:
    """Nothing that shows a user recordings holds media to which they were never entitled, by id or by content."""
    exposures = Exposures()
    strangers: dict[tuple[str, str], Finding] = {}
    for entry in ledger.of(Action.LIST):
        for item, meeting in listed(ledger, entry):
            if meeting is None:
                strangers.setdefault((entry.actor, item["recording"]), _stranger(entry, item))
            elif meeting.is_foreign:
                exposures.add("presented", meeting)
    for entry in (entry for entry in opened(ledger) if not entry.data.get("direct")):
        recording = entry.data.get("recording", "")
        if is_own(ledger, entry):
            strangers.pop((entry.actor, recording), None)
            continue
        known = exposures.get(entry.actor, recording)
        if known:
            exposures.add("opened", _again(known.meeting, entry))
        for meeting in content(ledger, entry):
            if meeting.is_foreign:
                exposures.add("proved", meeting)
    unowned = [finding for key, finding in strangers.items() if not exposures.get(*key)]
    return [leak("foreign-media", exposure) for exposure in _telling(exposures)] + unowned


def reachable_media(ledger: Ledger) -> list[Finding]:
    """No direct reference opens what its user may never see; with replays off, nothing is shown or opened at all."""
    provenance = derive(ledger)
    exposures = Exposures()
    off = not provenance.replays_offered
    for entry in ledger.of(Action.LIST) if off else ():
        for _, meeting in listed(ledger, entry):
            if meeting and not meeting.is_foreign and is_of_replays(entry, provenance):
                exposures.add("presented", meeting)
    for entry in opened(ledger):
        direct = entry.data.get("direct", False)
        by_id = reference(ledger, entry)
        is_closed = off and is_of_replays(entry, provenance)
        if by_id and (is_closed if not by_id.is_foreign else direct and not is_own(ledger, entry)):
            exposures.add("opened", by_id)
        for meeting in content(ledger, entry):
            if (is_closed and not meeting.is_foreign) or (direct and meeting.is_foreign):
                exposures.add("proved", meeting)
    return [leak("reachable-media", exposure, off=off) for exposure in exposures]


def opened(ledger: Ledger) -> Iterator[Entry]:
    """Yield the answers in which a file or words of a recording came."""
    for entry in ledger.of(Action.OPEN):
        if entry.data["size"]:
            yield entry
    for entry in ledger.of(Action.READ):
        if entry.data.get("content", {}).get("canaries"):
            yield entry


def leak(check: str, exposure: Exposure, *, off: bool = False, why: str = "", since: Collection[int] = ()) -> Finding:
    """Return the finding that an exposure is; `why` it should not have been, and the entries `since` which."""
    meeting, degree = exposure.meeting, exposure.degree
    viewer, surface = meeting.viewer, meeting.entry.data["surface"]
    where = f"{viewer}'s {surface.replace('-', ' ')}"
    here = "" if meeting.origin in ("", ELSEWHERE) else f" in {meeting.origin}"
    what = meeting.told if degree == "proved" else f"{meeting.what} of {meeting.owner}{here}"
    if degree != "proved" and meeting.recording:
        what = f"{meeting.recording}, {what}"
    never = "replay access is off for everybody" if off else f"{viewer} was never {here.strip() or 'there'}"
    return Finding(
        check=check,
        verdict=Verdict.INVALID,
        sentence=f"{where} {VERBS[meeting.entry.action]} {what}; {why or never}",
        degree=degree,
        viewer=viewer,
        owner=meeting.owner,
        surface=surface,
        recording=meeting.recording,
        evidence=tuple(sorted({*exposure.evidence, *since})),
    )


def _again(meeting: Meeting, entry: Entry) -> Meeting:
    """Return the same thing, met once more."""
    return Meeting(
        entry, meeting.owner, meeting.origin, meeting.what, meeting.recording, meeting.standing, meeting.made
    )


def _telling(exposures: Exposures) -> Iterator[Exposure]:
    """Yield the exposures within the trial first; of a viewer with proved ones, only those that were opened.

    A leaking list may hold every recording of a deployment. The oracle opens a bounded number of them; the
    rest would add lines to the report and nothing to what it says.
    """
    proved = {exposure.meeting.viewer for exposure in exposures if exposure.degree == "proved"}
    for exposure in sorted(exposures, key=lambda exposure: exposure.meeting.origin == ELSEWHERE):
        if exposure.degree != "presented" or exposure.meeting.viewer not in proved:
            yield exposure


def _stranger(entry: Entry, item: Mapping[str, Any]) -> Finding:
    return Finding(
        check="foreign-media",
        verdict=Verdict.UNKNOWN,
        sentence=(
            f"{entry.actor}'s list held {item['recording']} of consultation {item['consultation']}, which no actor of "
            "this run is known to have made; whose it is could not be proved"
        ),
        degree="presented",
        viewer=entry.actor,
        surface=entry.data["surface"],
        recording=item["recording"],
        evidence=(entry.seq,),
    )
