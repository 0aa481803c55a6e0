"""A trial's ledger as the steps that a person follows: who signed up, the story in time order, what each could see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.ledger import HARNESS, Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import REPLAY_LIST, REPLAY_MEDIA, Provenance, derive
from harness.reporting.report.folded import Looks, folded

Status = Literal["passed", "failed", "broken", "skipped"]

MAX_STEPS = 400
"""Of one trial; what is left out is said."""
MAX_LISTED = 20
"""Of a list's entries that showed nothing: under a leak everybody's recordings may stand in it."""
MAX_LETTERS = 400
GRAVITY: tuple[Status, ...] = ("skipped", "passed", "broken", "failed")
SIGNING_UP, STORY = "everybody signs up; flags are proved", "the story"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trial, or a heading over several; times are in seconds from the trial's beginning."""

    name: str
    status: Status = "passed"
    start_s: float = 0.0
    stop_s: float = 0.0
    message: str = ""
    steps: tuple[Step, ...] = field(default=())

    @property
    def count(self) -> int:
        """How many steps this is, with all below it."""
        return 1 + sum(step.count for step in self.steps)


def steps(ledger: Ledger, findings: Sequence[Finding]) -> tuple[Step, ...]:
    """Return the trial's steps under their headings; a step that a finding stands on is failed, or broken if unknown.

    A call that was refused is skipped, for by itself that is neither good nor bad; one without an answer is broken.
    """
    provenance = derive(ledger)
    blamed = _blamed(ledger, findings)
    headings: dict[str, list[Step]] = {}
    last = 0
    entries = list(folded(_told(ledger), blamed))
    told = next((entry.seq for entry in ledger if entry.action is Action.STORY), len(ledger))
    for each in entries[:MAX_STEPS]:
        first = each.entries[0] if isinstance(each, Looks) else each
        step = _looks(each, ledger) if isinstance(each, Looks) else _step(each, ledger, provenance, blamed)
        headings.setdefault(_heading(first, told), []).append(step)
        last = first.seq
    grouped = [_group(name, below) for name, below in headings.items()]
    if len(entries) > MAX_STEPS:
        grouped.append(Step(f"... and {len(entries) - MAX_STEPS} more entries in the ledger, after #{last}"))
    return tuple(grouped)


def lists(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Return the replay list of each actor as it last was: what stood in it, and whose each recording proved to be."""
    provenance = derive(ledger)
    opened = {
        (entry.actor, entry.data["recording"]): [_whose(each, provenance) for each in entry.data["content"]["canaries"]]
        for entry in ledger.of(Action.OPEN)
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in ledger.of(Action.LIST):
        items = [
            {**item, "shows": list(dict.fromkeys(opened.get((entry.actor, item["recording"]), ())))}
            for item in entry.data["items"]
        ]
        told = [item for number, item in enumerate(items) if item["shows"] or number < MAX_LISTED]
        left_out = len(items) - len(told)
        found[entry.actor] = [*told, {"left out": f"{left_out:,} more, none of them opened"}] if left_out else told
    return found


def _told(ledger: Ledger) -> Iterator[Entry]:
    """Yield each call once, by its outcome, or by its intent when there is none."""
    answered = {entry.of for entry in ledger if entry.of is not None}
    for entry in ledger:
        if entry.outcome is Outcome.INTENT and entry.seq in answered:
            continue
        if entry.actor != HARNESS or entry.outcome is not Outcome.OK:
            yield entry


def _heading(entry: Entry, told: int) -> str:
    if entry.actor == HARNESS:
        return STORY if entry.seq <= told else "the harness"
    if entry.seq > told:
        return f"what {entry.actor} can see"
    is_name = entry.action is Action.WRITE and entry.data.get("what") == "name"
    return SIGNING_UP if is_name or entry.action in (Action.ENROL, Action.FLAGS, Action.LISTEN) else STORY


def _group(name: str, below: Sequence[Step]) -> Step:
    worst = max((step.status for step in below), key=GRAVITY.index)
    return Step(
        name,
        "passed" if worst == "skipped" else worst,
        min(step.start_s for step in below),
        max(step.stop_s for step in below),
        steps=tuple(below),
    )


def _step(entry: Entry, ledger: Ledger, provenance: Provenance, blamed: Mapping[int, Finding]) -> Step:
    began = ledger[entry.of] if entry.of is not None and entry.of < len(ledger) else entry
    finding = blamed.get(entry.seq)
    status: Status = "passed"
    if finding:
        status = "failed" if finding.verdict is Verdict.INVALID else "broken"
    elif entry.outcome is Outcome.FAIL:
        status = "broken" if entry.actor == HARNESS else "skipped"
    elif entry.outcome is not Outcome.OK:
        status = "broken"
    return Step(
        f"#{entry.seq} {entry.actor} {_did(entry, provenance)}{_how_it_ended(entry)}",
        status,
        began.at_s,
        entry.at_s,
        finding.sentence if finding else "",
    )


def _looks(looks: Looks, ledger: Ledger) -> Step:
    """Return looks that are alike as one step."""
    first, last = looks.entries[0], looks.entries[-1]
    began = ledger[first.of] if first.of is not None and first.of < len(ledger) else first
    is_refused = first.outcome is Outcome.FAIL
    name = f"#{first.seq}-{last.seq} {first.actor} {looks.words}{' (all refused)' if is_refused else ''}"
    return Step(name, "skipped" if is_refused else "passed", began.at_s, last.at_s)


def _blamed(ledger: Ledger, findings: Sequence[Finding]) -> dict[int, Finding]:
    """Return the entries that a finding stands on, each with the gravest: not those by which the owner emitted."""
    found: dict[int, Finding] = {}
    for finding in findings:
        for seq in finding.evidence:
            if seq < len(ledger) and ledger[seq].action is not Action.EMIT:
                found.setdefault(seq, finding)
    return found


def _did(entry: Entry, provenance: Provenance) -> str:
    """Say what an entry is about in words; data that is not there is left out."""
    data = {key: str(value) for key, value in entry.data.items() if isinstance(value, str)}
    visit, medium = data.get("visit", "?"), data.get("medium", "?")
    recording = data.get("recording", "?")
    words = {
        Action.ENROL: "signs up and in",
        Action.FLAGS: "asks which flags are in force",
        Action.BOOK: f"books {visit} by {medium} with {data.get('clinician', '?')}",
        Action.JOIN: f"joins {visit}",
        Action.SWITCH: f"switches to {medium} in {visit}",
        Action.EMIT: f"emits {medium} in {visit} as canary {data.get('canary', '?')}",
        Action.LEAVE: f"leaves {visit}",
        Action.END: f"ends {visit}",
        Action.STORY: f"could not tell the story to its end: {data.get('error', '')[:MAX_LETTERS]}".rstrip(": "),
        Action.RECORDINGS: f"asks what was recorded in {visit}",
        Action.LIST: f"reads their {data.get('surface', 'list').replace('-', ' ')}",
        Action.OPEN: f"{'tries' if entry.data.get('direct') else 'opens'} {_opened(entry)}",
        Action.READ: f"reads their {_surface(entry)}{_of(data.get('about', ''))}",
        Action.LISTEN: "listens" if data.get("until") == "the end" else "has heard all that was sent",
        Action.HEAR: f"hears something by {_surface(entry)}",
        Action.WRITE: f"writes a {data.get('what', 'word')}{_in(data.get('visit', ''))}",
        Action.HAND_OVER: f"hands {visit} over to {data.get('clinician', '?')}",
        Action.SHARE: f"shares {recording} with {data.get('carer', '?')}",
        Action.REVOKE: f"revokes {recording} from {data.get('carer', '?')}",
        Action.CHOOSE: f"chooses the pharmacy of {data.get('pharmacist', '?')}",
        Action.ACCESS: f"{'opens' if entry.data.get('open') else 'closes'} replay access for everybody",
    }
    return words.get(entry.action, str(entry.action)) + _what_came(entry, provenance)


def _surface(entry: Entry) -> str:
    return str(entry.data.get("surface", "page")).replace("-", " ")


def _opened(entry: Entry) -> str:
    recording, surface = str(entry.data.get("recording", "?")), entry.data.get("surface")
    if surface in (REPLAY_LIST, REPLAY_MEDIA):
        return recording
    return f"the {_surface(entry)}{_of(recording)}"


def _of(what: str) -> str:
    return f" of {what}" if what else ""


def _in(visit: str) -> str:
    return f" in {visit}" if visit else ""


def _what_came(entry: Entry, provenance: Provenance) -> str:
    if entry.outcome is not Outcome.OK:
        return ""
    if entry.action in (Action.LIST, Action.RECORDINGS):
        count = len(entry.data.get("items", ()))
        return f": {count} {'entry' if count == 1 else 'entries'}"
    if entry.action in (Action.OPEN, Action.READ, Action.HEAR):
        content = entry.data.get("content", {})
        whose = dict.fromkeys(_whose(each, provenance) for each in content.get("canaries", ()))
        whose |= dict.fromkeys(_wrote(each, provenance) for each in entry.data.get("texts", ()))
        nothing = content.get("outcome", "nothing") if entry.action is Action.OPEN else ""
        said = ", ".join(whose) or nothing
        return f": {said}" if said else ""
    return ""


def _how_it_ended(entry: Entry) -> str:
    if entry.outcome is Outcome.OK or entry.action is Action.STORY:
        return ""
    error = str(entry.data.get("error", ""))[:MAX_LETTERS]
    verb = "refused" if entry.outcome is Outcome.FAIL else "no answer"
    return f" ({verb}{': ' if error else ''}{error})"


def _whose(sighting: Mapping[str, Any], provenance: Provenance) -> str:
    emission = provenance.emissions.get(int(sighting["value"]))
    return f"{sighting['track']} of " + (f"{emission.actor} in {emission.visit}" if emission else sighting["owner"])


def _wrote(sighting: Mapping[str, Any], provenance: Provenance) -> str:
    writing = provenance.writings.get(int(sighting["value"]))
    return f"{writing.what} of {writing.actor}" if writing else f"words of {sighting['owner']}"
