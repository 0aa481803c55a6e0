"""Provenance: what a ledger says about who took part in what, whose media is whose, and who may see it.

What the entries carry. An outcome has its intent's data too; one that is not ok has `error` and, where the target
answered, its `status` and `code`:

| action | data |
|---|---|
| trial | `trial`, `scenario`, `combination`, `seed`, `run`, `cast` (actor -> role), `not_offered` |
| enrol | `account`, `number` |
| flags | `wanted`, `seen`, `differences`; none of them where the harness itself speaks of the flag server |
| book | `visit`, `consultation`, `clinician`, `medium` |
| join, leave, end | `visit` |
| switch | `visit`, `medium` |
| hand-over | `visit`, `clinician` |
| emit | `visit`, `medium`, `canary` |
| write | `what`, `canary`, `visit` (empty for what is of none), `to`: the actors to whom it is addressed |
| share, revoke | `visit`, `recording`, `carer` |
| choose | `pharmacist` |
| access | `open`: whether the operator opened replay access for everybody, or closed it |
| story | when it broke: `error`, and whether an `assertion` of its own failed |
| recordings | `visit`, `items`: `recording`, `medium` |
| listen | `until`: `the end` where it began, `now` where it ended |
| hear | `surface`; `texts`, `refs` |
| list | `surface`, `items`: `recording`, `consultation`, `medium`, `elsewhere`; and what came with it, below |
| open | `surface`, `recording`, `direct`, `size`, `sha256`, `content`; `texts`, `refs` where there were words |
| read | `surface`, `about`, `size`, `sha256`, `texts`, `refs`; `content` where a file came |
| evidence | when it could not be kept: `error` |

`trial` also has `grace_s` (how long the target may still serve what was revoked or switched off), `policy` (where its
entitlement is imported from; empty for the default), and `surfaces`: actor -> what its driver declares, each with its
`name`, `about` and `needs`.

With a list come `badge`, `total` and `titles` where they are shown, or `unanswered`, the error that came in their
place. `elsewhere` names the other trial of this run to which a foreign consultation belongs, where that is known.
`content` is a reading: `outcome`, `tracks`, `duration_s`, `note`, and `canaries` with `value` (20 digits), `track`,
`first_s`, `last_s`, `count` and `owner` (in words); `packets`, the hash of what is coded in it, is the same for the
same media in another wrapping. Of a page that has words alone the outcome is `text`. `texts` are canaries found in
words: `value`, `owner`. `refs` are consultations that the words name: `consultation`, `elsewhere`. `open` is of one
recording (or, with it empty, of an export or a link), `read` of a page about oneself or a person. `direct` says that
the reference was not had from a list of one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.ledger import HARNESS, Action, Entry, Ledger, Outcome
from harness.model import Medium, Wording

REPLAYS = "replays"
REPLAY_LIST = "replay-list"
REPLAY_MEDIA = "replay-media"
"""The surfaces that every target has: the list, and the bytes of a recording by its reference."""
READ = "canaries"
"""The outcome of a reading in which all content was read and names its owner."""


NEEDED: Mapping[tuple[Action, Outcome | None], frozenset[str]] = {
    (Action.BOOK, None): frozenset({"visit", "clinician"}),
    (Action.BOOK, Outcome.OK): frozenset({"consultation"}),
    (Action.JOIN, None): frozenset({"visit"}),
    (Action.SWITCH, None): frozenset({"visit", "medium"}),
    (Action.EMIT, None): frozenset({"visit", "medium", "canary"}),
    (Action.LEAVE, None): frozenset({"visit"}),
    (Action.END, None): frozenset({"visit"}),
    (Action.HAND_OVER, None): frozenset({"visit", "clinician"}),
    (Action.WRITE, None): frozenset({"what", "canary", "visit", "to"}),
    (Action.SHARE, None): frozenset({"visit", "recording", "carer"}),
    (Action.REVOKE, None): frozenset({"visit", "recording", "carer"}),
    (Action.CHOOSE, None): frozenset({"pharmacist"}),
    (Action.ACCESS, None): frozenset({"open"}),
    (Action.HEAR, Outcome.OK): frozenset({"surface", "texts", "refs"}),
    (Action.READ, None): frozenset({"surface", "about"}),
    (Action.READ, Outcome.OK): frozenset({"texts", "refs"}),
    (Action.STORY, Outcome.FAIL): frozenset({"error", "assertion"}),
    (Action.RECORDINGS, None): frozenset({"visit"}),
    (Action.RECORDINGS, Outcome.OK): frozenset({"items"}),
    (Action.LIST, None): frozenset({"surface"}),
    (Action.LIST, Outcome.OK): frozenset({"items"}),
    (Action.OPEN, None): frozenset({"surface", "recording", "direct"}),
    (Action.OPEN, Outcome.OK): frozenset({"content"}),
}
"""Of the table above, what the checks cannot do without: whatever the outcome (None), or with that one."""
NEEDED_OF_AN_ACTOR = frozenset({"wanted", "differences"})
"""The same of an actor's own good proof of the flags."""


@dataclass(slots=True)
class KnownVisit:
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
class Writing:
    """Words with a canary that an actor wrote, or may have written: what they are, of which visit, and to whom."""

    actor: str
    what: Wording
    visit: str
    to: frozenset[str]
    entries: tuple[Entry, ...]

    @property
    def is_certain(self) -> bool:
        """True when the target acknowledged any of them."""
        return any(entry.outcome is Outcome.OK for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Declared:
    """A surface as a trial's target declared it for an actor: see `harness.drivers.surfaces.Surface`."""

    name: str
    about: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """The facts of one trial that entitlement and the checks stand on.

    `contested` names each id that the target gave to several visits, and those visits. Nobody's media is told by
    such an id: it is in neither of the two mappings before it.
    """

    cast: Mapping[str, str]
    not_offered: frozenset[str]
    visits: Mapping[str, KnownVisit]
    visit_of_consultation: Mapping[str, str]
    visit_of_recording: Mapping[str, str]
    contested: Mapping[str, frozenset[str]]
    emissions: Mapping[int, Emission]
    writings: Mapping[int, Writing]
    surfaces: Mapping[str, Mapping[str, Declared]]

    @property
    def users(self) -> tuple[str, ...]:
        """Those of the cast whom the trial is about: an operator's account is the target's own."""
        return tuple(name for name, role in self.cast.items() if role != "operator")

    @property
    def replays_offered(self) -> bool:
        """False where the combination takes replay access from everybody."""
        return REPLAYS not in self.not_offered

    def may_see(self, viewer: str, visit: str) -> bool:
        """The default policy: who took part in a visit, or may have, may see what was recorded in it."""
        return visit in self.visits and viewer in self.visits[visit].parties

    def visit_of(self, recording: str, consultation: str = "") -> str | None:
        """Return the visit of a recording by the target's own ids, or None if not of this trial."""
        return self.visit_of_recording.get(recording) or self.visit_of_consultation.get(consultation)


def missing_from(entry: Entry) -> frozenset[str]:
    """Return the names of data that an entry lacks: without them no check can read it."""
    nothing: frozenset[str] = frozenset()
    needed = NEEDED.get((entry.action, None), nothing) | NEEDED.get((entry.action, entry.outcome), nothing)
    if entry.action is Action.FLAGS and entry.outcome is Outcome.OK and entry.actor != HARNESS:
        needed |= NEEDED_OF_AN_ACTOR
    return needed - entry.data.keys()


def references(ledger: Ledger, provenance: Provenance) -> dict[str, str]:
    """Return every recording that is known to be of a visit, by its participants' word or by their own lists."""
    found = dict(provenance.visit_of_recording)
    for entry in ledger.of(Action.LIST):
        for item in entry.data["items"]:
            visit = provenance.visit_of(item["recording"], item["consultation"])
            if visit and provenance.may_see(entry.actor, visit):
                found.setdefault(item["recording"], visit)
    return found


def derive(ledger: Ledger) -> Provenance:
    """Return the facts that a ledger holds."""
    return ledger.derived(_derive)


def _derive(ledger: Ledger) -> Provenance:
    opening = next(iter(ledger.of(Action.TRIAL)), None)
    facts: Mapping[str, object] = opening.data if opening else {}
    cast = facts.get("cast", {})
    not_offered = facts.get("not_offered", ())
    visits = _visits(ledger)
    consultations = _claims((visit.consultation, name) for name, visit in visits.items() if visit.consultation)
    recordings = _claims(
        (item["recording"], entry.data["visit"])
        for entry in ledger.of(Action.RECORDINGS)
        for item in entry.data["items"]
    )
    contested = [(f"consultation {ref}", names) for ref, names in consultations.items()]
    contested += [(f"recording {ref}", names) for ref, names in recordings.items()]
    return Provenance(
        cast=dict(cast) if isinstance(cast, Mapping) else {},
        not_offered=frozenset(not_offered) if isinstance(not_offered, list | tuple) else frozenset(),
        visits=visits,
        visit_of_consultation=_uncontested(consultations),
        visit_of_recording=_uncontested(recordings),
        contested={what: frozenset(names) for what, names in contested if len(names) > 1},
        emissions=_emissions(ledger),
        writings=_writings(ledger),
        surfaces=_surfaces(facts.get("surfaces", {})),
    )


def _visits(ledger: Ledger) -> dict[str, KnownVisit]:
    """Return the visits; who booked, joined or emitted, and was not definitely refused, is a party."""
    visits: dict[str, KnownVisit] = {}
    refused = {entry.of for entry in ledger if entry.outcome is Outcome.FAIL}
    for action in (Action.BOOK, Action.JOIN, Action.EMIT, Action.HAND_OVER):
        for entry in ledger.of(action, Outcome.INTENT, Outcome.OK, Outcome.UNKNOWN):
            if entry.seq in refused:
                continue
            visit = visits.setdefault(entry.data["visit"], KnownVisit(entry.data["visit"], "", entry.actor))
            visit.parties.add(entry.actor)
            if action is Action.BOOK:
                visit.consultation = entry.data.get("consultation", "") or visit.consultation
                visit.parties.add(entry.data["clinician"])
            elif action is Action.HAND_OVER:
                visit.parties.add(entry.data["clinician"])
    return visits


def _emissions(ledger: Ledger) -> dict[int, Emission]:
    """Return each canary's emission. Sent several times, it is certain as soon as one was acknowledged."""
    emissions: dict[int, Emission] = {}
    for entry in ledger.of(Action.EMIT, *Outcome):
        canary, data = int(entry.data["canary"]), entry.data
        if canary not in emissions or not emissions[canary].is_certain:
            emissions[canary] = Emission(entry.actor, data["visit"], data["medium"], entry)
    return emissions


def _writings(ledger: Ledger) -> dict[int, Writing]:
    """Return each canary in words with everything that was written with it."""
    writings: dict[int, Writing] = {}
    for entry in ledger.of(Action.WRITE, *Outcome):
        data, canary = entry.data, int(entry.data["canary"])
        before = writings.get(canary)
        to = frozenset(data["to"]) | (before.to if before else frozenset())
        entries = (*(before.entries if before else ()), entry)
        writings[canary] = Writing(entry.actor, data["what"], data["visit"], to, entries)
    return writings


def _surfaces(declared: object) -> dict[str, dict[str, Declared]]:
    """Return actor -> name -> surface; nothing of a ledger that is older than surfaces are."""
    if not isinstance(declared, Mapping):
        return {}
    return {
        actor: {each["name"]: Declared(each["name"], each["about"], frozenset(each["needs"])) for each in surfaces}
        for actor, surfaces in declared.items()
    }


def _claims(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    claims: dict[str, set[str]] = {}
    for ref, visit in pairs:
        claims.setdefault(ref, set()).add(visit)
    return claims


def _uncontested(claims: Mapping[str, set[str]]) -> dict[str, str]:
    return {ref: next(iter(visits)) for ref, visits in claims.items() if len(visits) == 1}
