"""Provenance: what a ledger says about who took part in what, whose media is whose, and who may see it.

This is the one place that knows which data an entry carries:

| action | data |
|---|---|
| trial | `trial`, `scenario`, `combination`, `seed`, `run`, `cast` (actor -> role), `not_offered` |
| enrol | `account`, `number` |
| flags | `wanted`, `seen`, `differences` |
| book | `visit`, `consultation`, `clinician`, `medium` |
| join, leave, end | `visit` |
| switch | `visit`, `medium` |
| emit | `visit`, `medium`, `canary` |
| story | `error` |
| recordings | `visit`, `items`: `recording`, `medium` |
| list | `surface`, `items`: `recording`, `consultation`, `medium`, `elsewhere` |
| open | `surface`, `recording`, `direct`, `size`, `sha256`, `content` |

`elsewhere` names the other trial of this run to which a foreign consultation belongs, where that is known.
`content` is a reading: `outcome`, and `canaries` with `value` (20 digits), `track` and `owner` (in words).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Medium

REPLAYS = "replays"


@dataclass(slots=True)
class Visit:
    """A consultation as the ledger knows it. `parties` took part or may have: entitlement is generous."""

    name: str
    consultation: str
    patient: str
    parties: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Emission:
    """A canary that an actor emitted, or may have emitted, in a visit."""

    actor: str
    visit: str
    medium: Medium
    entry: Entry

    @property
    def is_certain(self) -> bool:
        """True when the target acknowledged it."""
        return self.entry.outcome is Outcome.OK


@dataclass(frozen=True, slots=True)
class Provenance:
    """The facts of one trial that entitlement and the checks stand on."""

    cast: Mapping[str, str]
    not_offered: frozenset[str]
    visits: Mapping[str, Visit]
    visit_of_consultation: Mapping[str, str]
    visit_of_recording: Mapping[str, str]
    emissions: Mapping[int, Emission]

    @property
    def replays_offered(self) -> bool:
        """False where the combination takes replay access from everybody."""
        return REPLAYS not in self.not_offered

    def may_see(self, viewer: str, visit: str) -> bool:
        """The default policy: who took part in a visit, or may have, may see what was recorded in it."""
        return viewer in self.visits[visit].parties

    def visit_of(self, recording: str, consultation: str = "") -> str | None:
        """Return the visit of a recording by the target's own ids, or None if not of this trial."""
        return self.visit_of_recording.get(recording) or self.visit_of_consultation.get(consultation)


def derive(ledger: Ledger) -> Provenance:
    """Read the facts out of a ledger."""
    opening = next(iter(ledger.of(Action.TRIAL)), None)
    facts: Mapping[str, object] = opening.data if opening else {}
    cast = facts.get("cast", {})
    not_offered = facts.get("not_offered", ())
    visits = _visits(ledger)
    emissions: dict[int, Emission] = {}
    for entry in ledger.of(Action.EMIT, Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK, Outcome.FAIL):
        data = entry.data
        emissions[int(data["canary"])] = Emission(entry.actor, data["visit"], data["medium"], entry)
    by_recording: dict[str, str] = {}
    for entry in ledger.of(Action.RECORDINGS):
        for item in entry.data["items"]:
            by_recording.setdefault(item["recording"], entry.data["visit"])
    return Provenance(
        cast=dict(cast) if isinstance(cast, Mapping) else {},
        not_offered=frozenset(not_offered) if isinstance(not_offered, list | tuple) else frozenset(),
        visits=visits,
        visit_of_consultation={visit.consultation: name for name, visit in visits.items() if visit.consultation},
        visit_of_recording=by_recording,
        emissions=emissions,
    )


def _visits(ledger: Ledger) -> dict[str, Visit]:
    visits: dict[str, Visit] = {}
    refused = {entry.of for entry in ledger if entry.outcome is Outcome.FAIL}
    tried = (Outcome.INTENT, Outcome.OK, Outcome.UNKNOWN)
    for entry in (entry for entry in ledger.of(Action.BOOK, *tried) if entry.seq not in refused):
        visit = visits.setdefault(entry.data["visit"], Visit(entry.data["visit"], "", entry.actor))
        visit.consultation = entry.data.get("consultation", "") or visit.consultation
        visit.parties |= {entry.actor, entry.data["clinician"]}
    for entry in (entry for entry in ledger.of(Action.JOIN, *tried) if entry.seq not in refused):
        visits[entry.data["visit"]].parties.add(entry.actor)
    return visits
