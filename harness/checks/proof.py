"""What must hold before a trial may be called valid: flags in force, the story told, every question answered."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks.questions import SIGHTS, Reason, open_questions
from harness.ledger import DEEDS, HARNESS, Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import REPLAYS, derive


def unproved(ledger: Ledger) -> list[Finding]:
    """The flags were in force for everybody, the story was told to its end, all was asked and all was answered."""
    reasons = [*_flags(ledger), *_story(ledger), *open_questions(ledger)]
    return [
        Finding("unproved", Verdict.UNKNOWN, sentence, viewer=viewer, evidence=evidence)
        for sentence, viewer, evidence in reasons
    ]


def broken_promise(ledger: Ledger) -> list[Finding]:
    """No assertion that the scenario itself makes about the product has failed."""
    return [
        Finding(
            "broken-promise",
            Verdict.INVALID,
            f"the scenario's own assertion failed (an ordinary failure, not a leak): {entry.data['error']}",
            evidence=(entry.seq,),
        )
        for entry in ledger.of(Action.STORY, Outcome.FAIL)
        if entry.data["assertion"]
    ]


def _flags(ledger: Ledger) -> Iterator[Reason]:
    """Every actor's flags are proved before the story and after the last question; the server's, after all."""
    users = derive(ledger).users
    if not users:
        yield "the ledger does not say who took part", "", ()
    proofs = ledger.of(Action.FLAGS)
    told = _told(ledger)
    for actor in users:
        proved = [entry.seq for entry in proofs if entry.actor == actor]
        asked = [entry.seq for entry in ledger if entry.actor == actor and entry.action in SIGHTS]
        if not proved or (told and told[0].seq < proved[0]):
            yield f"the flags were not proved to be in force for {actor}", actor, ()
        elif asked and asked[-1] > proved[-1]:
            yield f"the flags were not proved to be in force for {actor} to the trial's end", actor, (asked[-1],)
    for entry in (entry for entry in ledger.of(Action.FLAGS, Outcome.FAIL) if entry.actor != HARNESS):
        yield (
            f"{entry.actor}'s flags could not be proved: {entry.data.get('error', 'refused')}",
            entry.actor,
            (entry.seq,),
        )
    yield from _served(ledger)
    for entry in (entry for entry in proofs if entry.actor != HARNESS):
        if any(entry.data["wanted"] != opening.data.get("combination") for opening in ledger.of(Action.TRIAL)):
            yield f"{entry.actor}'s flags were proved for another combination", entry.actor, (entry.seq,)
        for difference in entry.data["differences"]:
            yield (
                f"the target did not have the combination for {entry.actor}: {difference}",
                entry.actor,
                (entry.seq,),
            )


def _served(ledger: Ledger) -> Iterator[Reason]:
    """The harness itself says last of all whether the flags were served to the end."""
    proofs = [entry for entry in ledger.of(Action.FLAGS, Outcome.OK, Outcome.FAIL) if entry.actor == HARNESS]
    failed = [entry for entry in proofs if entry.outcome is Outcome.FAIL]
    if failed or not proofs or proofs[-1].seq < len(ledger) - 1:
        why = failed[-1].data["error"] if failed else "the trial was cut off"
        yield f"the flags were not proved to be served to the trial's end: {why}", "", ()


def _story(ledger: Ledger) -> Iterator[Reason]:
    if not _told(ledger):
        yield "the story was not told to its end", "", ()
    for entry in ledger.of(Action.STORY, Outcome.FAIL):
        if not entry.data["assertion"]:
            yield f"the story broke: {entry.data['error']}", "", (entry.seq,)
    yield from _loose_ends(ledger)
    not_offered = derive(ledger).not_offered
    if not not_offered & {"sharing", REPLAYS}:
        for entry in ledger.of(Action.SHARE, Outcome.FAIL):
            error = entry.data.get("error", "no reason given")
            yield (
                f"{entry.actor} was refused a share, which this combination offers ({error})",
                entry.actor,
                (entry.seq,),
            )
    for entry in ledger.of(Action.SWITCH, Outcome.FAIL, Outcome.OK):
        what = f"the switch to {entry.data['medium']} in {entry.data['visit']}"
        offered = f"switch-to-{entry.data['medium']}" not in not_offered
        if offered and entry.outcome is Outcome.FAIL:
            error = entry.data.get("error", "no reason given")
            yield (
                f"{entry.actor} was refused {what}, which this combination offers ({error})",
                entry.actor,
                (entry.seq,),
            )
        if not offered and entry.outcome is Outcome.OK:
            yield f"{entry.actor} got {what}, which this combination does not offer", entry.actor, (entry.seq,)


def _loose_ends(ledger: Ledger) -> Iterator[Reason]:
    """What the story was to make and did not, or made when it had ended, was not there to be leaked."""
    for entry in ledger.of(Action.EMIT, Outcome.FAIL):
        error = entry.data.get("error", "no reason given")
        yield f"{entry.actor}'s media never came to {entry.data['visit']}: {error}", entry.actor, (entry.seq,)
    for entry in ledger.of(Action.WRITE, Outcome.FAIL):
        if entry.data["what"] in ("prescription", "metric"):
            error = entry.data.get("error", "no reason given")
            yield f"{entry.actor}'s {entry.data['what']} was refused: {error}", entry.actor, (entry.seq,)
    told = _told(ledger)
    for entry in ledger:
        if told and entry.seq > told[0].seq and entry.action in DEEDS and entry.actor != HARNESS:
            yield f"{entry.actor}'s {entry.action} came after the story had ended", entry.actor, (entry.seq,)


def _told(ledger: Ledger) -> list[Entry]:
    """Return the end of the story (and of the questions, where these broke off), or nothing when it never came."""
    return ledger.of(Action.STORY, Outcome.OK, Outcome.FAIL)
