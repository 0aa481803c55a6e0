"""Who met what they may not see: foreign-media on the replay list, reachable-media by direct reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.ledger import Action, Entry, Ledger
from harness.model import Degree, Finding, Verdict
from harness.provenance import Provenance, derive

DEGREES: tuple[Degree, ...] = ("presented", "opened", "proved")


@dataclass(slots=True)
class Exposure:
    """One viewer's meeting with one recording, to the highest degree seen."""

    viewer: str
    recording: str
    surface: str
    degree: Degree = "presented"
    owner: str = ""
    origin: str = ""
    medium: str = "media"
    evidence: list[int] = field(default_factory=list)

    def raise_to(self, degree: Degree, owner: str, origin: str, medium: str, entry: Entry) -> None:
        """Add what an entry shows; a higher degree names the owner anew."""
        self.evidence.append(entry.seq)
        if not self.owner or DEGREES.index(degree) > DEGREES.index(self.degree):
            self.degree, self.owner, self.origin, self.medium = degree, owner, origin, medium


def foreign_media(ledger: Ledger) -> list[Finding]:
    """No replay list holds media of a consultation in which its reader had no part, by id or by content."""
    provenance = derive(ledger)
    exposures: dict[tuple[str, str], Exposure] = {}
    strangers: list[Finding] = []
    for entry, item in _listed(ledger):
        key = (entry.actor, item["recording"])
        visit = provenance.visit_of(item["recording"], item["consultation"])
        if visit and not provenance.may_see(entry.actor, visit):
            exposure = exposures.setdefault(key, Exposure(*key, entry.data["surface"]))
            exposure.raise_to("presented", provenance.visits[visit].patient, visit, item["medium"], entry)
        elif not visit and item.get("elsewhere"):
            exposure = exposures.setdefault(key, Exposure(*key, entry.data["surface"]))
            exposure.raise_to("presented", item["elsewhere"], "another trial", item["medium"], entry)
        elif not visit:
            strangers.append(_stranger(entry, item))
    for entry in _opened(ledger, direct=False):
        key = (entry.actor, entry.data["recording"])
        if key in exposures:
            exposures[key].raise_to("opened", exposures[key].owner, exposures[key].origin, "media", entry)
        for medium, owner, origin in _foreign_content(entry, provenance):
            exposure = exposures.setdefault(key, Exposure(*key, entry.data["surface"]))
            exposure.raise_to("proved", owner, origin, medium, entry)
            exposure.evidence.extend(_emitted(entry, provenance))
    found = {(exposure.viewer, exposure.recording) for exposure in exposures.values()}
    unowned = [finding for finding in strangers if (finding.viewer, finding.recording) not in found]
    return [_leak("foreign-media", exposure) for exposure in exposures.values()] + unowned


def reachable_media(ledger: Ledger) -> list[Finding]:
    """No direct reference opens what its user may not see; where replays are off, nothing at all is shown or opened."""
    provenance = derive(ledger)
    exposures: dict[tuple[str, str], Exposure] = {}
    if not provenance.replays_offered:
        for entry, item in _listed(ledger):
            visit = provenance.visit_of(item["recording"], item["consultation"])
            if visit and provenance.may_see(entry.actor, visit):
                key = (entry.actor, item["recording"])
                exposure = exposures.setdefault(key, Exposure(*key, entry.data["surface"]))
                exposure.raise_to("presented", provenance.visits[visit].patient, visit, item["medium"], entry)
    for entry in ledger.of(Action.OPEN):
        visit = provenance.visit_of(entry.data["recording"])
        entitled = bool(visit and provenance.may_see(entry.actor, visit))
        if not visit or (entitled and provenance.replays_offered) or not (entitled or entry.data["direct"]):
            continue
        key = (entry.actor, entry.data["recording"])
        exposure = exposures.setdefault(key, Exposure(*key, entry.data["surface"]))
        exposure.raise_to("opened", provenance.visits[visit].patient, visit, "media", entry)
        for medium, owner, origin in _content(entry, provenance):
            if origin == visit:
                exposure.raise_to("proved", owner, origin, medium, entry)
    check = "reachable-media"
    return [_leak(check, exposure, off=not provenance.replays_offered) for exposure in exposures.values()]


def _listed(ledger: Ledger) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
    for entry in ledger.of(Action.LIST):
        for item in entry.data["items"]:
            yield entry, item


def _opened(ledger: Ledger, *, direct: bool) -> list[Entry]:
    return [entry for entry in ledger.of(Action.OPEN) if entry.data["direct"] is direct]


def _content(entry: Entry, provenance: Provenance) -> Iterator[tuple[str, str, str]]:
    """Yield track, owner and origin (the visit, or where else) for each canary in opened media."""
    for sighting in entry.data["content"]["canaries"]:
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission:
            yield sighting["track"], emission.actor, emission.visit
        else:
            yield sighting["track"], sighting["owner"], "another trial"


def _foreign_content(entry: Entry, provenance: Provenance) -> Iterator[tuple[str, str, str]]:
    for medium, owner, origin in _content(entry, provenance):
        if origin not in provenance.visits or not provenance.may_see(entry.actor, origin):
            yield medium, owner, origin


def _emitted(entry: Entry, provenance: Provenance) -> Iterator[int]:
    for sighting in entry.data["content"]["canaries"]:
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission:
            yield emission.entry.seq


def _leak(check: str, exposure: Exposure, *, off: bool = False) -> Finding:
    verbs = {
        "presented": f"{exposure.viewer}'s {exposure.surface.replace('-', ' ')} held",
        "opened": f"{exposure.viewer} was served",
        "proved": f"{exposure.viewer} was served",
    }
    what = f"{exposure.medium} that {exposure.owner} emitted in {exposure.origin}"
    if exposure.degree != "proved":
        what = f"{exposure.recording}, {exposure.medium} of {exposure.owner}'s {exposure.origin}"
    why = "replay access is off for everybody" if off else f"{exposure.viewer} was never in {exposure.origin}"
    return Finding(
        check=check,
        verdict=Verdict.INVALID,
        sentence=f"{verbs[exposure.degree]} {what}; {why}",
        degree=exposure.degree,
        viewer=exposure.viewer,
        owner=exposure.owner,
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
