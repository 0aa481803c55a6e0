"""Who met what they may not see: foreign-media on the replay list, reachable-media by direct reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.ledger import Action, Entry, Ledger
from harness.model import Degree, Finding, Verdict, degree_rank
from harness.provenance import READ, Provenance, derive

ELSEWHERE = "another trial"


@dataclass(frozen=True, slots=True)
class _Media:
    """What was met: whose, of which visit (or another trial), in what medium, and which entry emitted it if known."""

    owner: str
    origin: str
    medium: str
    emitted: int | None = None


@dataclass(slots=True)
class _Exposure:
    """One viewer's meeting with one recording, to the highest degree that the ledger shows."""

    viewer: str
    recording: str
    surface: str
    media: _Media
    degree: Degree = "presented"
    evidence: list[int] = field(default_factory=list)


class _Exposures:
    """Exposures by viewer and recording."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Exposure] = {}

    def __iter__(self) -> Iterator[_Exposure]:
        return iter(self._found.values())

    def get(self, viewer: str, recording: str) -> _Exposure | None:
        """Return what is known of a viewer and a recording."""
        return self._found.get((viewer, recording))

    def add(self, degree: Degree, entry: Entry, recording: str, media: _Media) -> _Exposure:
        """Add what an entry shows; a higher degree says anew whose media it is."""
        new = _Exposure(entry.actor, recording, entry.data["surface"], media, degree)
        exposure = self._found.setdefault((entry.actor, recording), new)
        exposure.evidence.extend(seq for seq in (media.emitted, entry.seq) if seq is not None)
        if degree_rank(degree) > degree_rank(exposure.degree):
            exposure.degree, exposure.media = degree, media
        return exposure


def foreign_media(ledger: Ledger) -> list[Finding]:
    """No replay list holds media of a consultation in which its user had no part, by id or by content."""
    provenance = derive(ledger)
    exposures = _Exposures()
    strangers: dict[tuple[str, str], Finding] = {}
    for entry, item in _listed(ledger):
        visit = provenance.visit_of(item["recording"], item["consultation"])
        if visit and not provenance.may_see(entry.actor, visit):
            media = _Media(provenance.visits[visit].patient, visit, item["medium"])
            exposures.add("presented", entry, item["recording"], media)
        elif not visit and item.get("elsewhere"):
            media = _Media(item["elsewhere"], ELSEWHERE, item["medium"])
            exposures.add("presented", entry, item["recording"], media)
        elif not visit:
            strangers.setdefault((entry.actor, item["recording"]), _stranger(entry, item))
    for entry in (entry for entry in _opened(ledger) if not entry.data["direct"]):
        recording = entry.data["recording"]
        if _is_own(entry, provenance):
            strangers.pop((entry.actor, recording), None)
            continue
        known = exposures.get(entry.actor, recording)
        if known:
            exposures.add("opened", entry, recording, known.media)
        for media in _content(entry, provenance):
            if _is_foreign(media, entry.actor, provenance):
                exposures.add("proved", entry, recording, media)
    unowned = [finding for key, finding in strangers.items() if not exposures.get(*key)]
    return [_leak("foreign-media", exposure) for exposure in _telling(exposures)] + unowned


def reachable_media(ledger: Ledger) -> list[Finding]:
    """No direct reference opens what its user may not see; with replays off, nothing is shown or opened at all."""
    provenance = derive(ledger)
    exposures = _Exposures()
    off = not provenance.replays_offered
    for entry, item in _listed(ledger):
        visit = provenance.visit_of(item["recording"], item["consultation"])
        if off and visit and provenance.may_see(entry.actor, visit):
            media = _Media(provenance.visits[visit].patient, visit, item["medium"])
            exposures.add("presented", entry, item["recording"], media)
    for entry in _opened(ledger):
        recording, direct = entry.data["recording"], entry.data["direct"]
        visit = provenance.visit_of(recording)
        entitled = bool(visit and provenance.may_see(entry.actor, visit))
        if visit and (off if entitled else direct and not _is_own(entry, provenance)):
            exposures.add("opened", entry, recording, _Media(provenance.visits[visit].patient, visit, "media"))
        for media in _content(entry, provenance):
            if (entitled and off) or (direct and _is_foreign(media, entry.actor, provenance)):
                exposures.add("proved", entry, recording, media)
    return [_leak("reachable-media", exposure, off=off) for exposure in exposures]


def _listed(ledger: Ledger) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
    for entry in ledger.of(Action.LIST):
        for item in entry.data["items"]:
            yield entry, item


def _opened(ledger: Ledger) -> Iterator[Entry]:
    """Yield the answers in which bytes came."""
    return (entry for entry in ledger.of(Action.OPEN) if entry.data["size"])


def _content(entry: Entry, provenance: Provenance) -> Iterator[_Media]:
    """Yield whose media each canary in opened content is."""
    for sighting in entry.data["content"]["canaries"]:
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission:
            yield _Media(emission.actor, emission.visit, sighting["track"], emission.entry.seq)
        else:
            yield _Media(sighting["owner"], ELSEWHERE, sighting["track"])


def _is_foreign(media: _Media, viewer: str, provenance: Provenance) -> bool:
    return not provenance.may_see(viewer, media.origin)


def _is_own(entry: Entry, provenance: Provenance) -> bool:
    """True when all of the opened content was read, and all of it may be seen by its viewer."""
    content = list(_content(entry, provenance))
    is_read = entry.data["content"]["outcome"] == READ and bool(content)
    return is_read and not any(_is_foreign(media, entry.actor, provenance) for media in content)


def _telling(exposures: _Exposures) -> Iterator[_Exposure]:
    """Yield the exposures within the trial first; of a viewer with proved ones, only those that were opened.

    A leaking list may hold every recording of a deployment. The oracle opens a bounded number of them; the
    rest would add lines to the report and nothing to what it says.
    """
    proved = {exposure.viewer for exposure in exposures if exposure.degree == "proved"}
    for exposure in sorted(exposures, key=lambda exposure: exposure.media.origin == ELSEWHERE):
        if exposure.degree != "presented" or exposure.viewer not in proved:
            yield exposure


def _leak(check: str, exposure: _Exposure, *, off: bool = False) -> Finding:
    viewer, media = exposure.viewer, exposure.media
    where = f"{viewer}'s {exposure.surface.replace('-', ' ')}"
    held = {"presented": f"{where} held", "opened": f"{where} served", "proved": f"{where} served"}[exposure.degree]
    here = "" if media.origin == ELSEWHERE else f" in {media.origin}"
    what = f"{exposure.recording}, {media.medium} of {media.owner}{here}"
    if exposure.degree == "proved":
        what = f"{media.medium} that {media.owner} emitted{here}"
    why = "replay access is off for everybody" if off else f"{viewer} was never {here.strip() or 'there'}"
    return Finding(
        check=check,
        verdict=Verdict.INVALID,
        sentence=f"{held} {what}; {why}",
        degree=exposure.degree,
        viewer=viewer,
        owner=media.owner,
        surface=exposure.surface,
        recording=exposure.recording,
        evidence=tuple(sorted(set(exposure.evidence))),
    )


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
