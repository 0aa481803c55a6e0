"""What must hold before a trial may be called valid: flags in force, the story told, every question answered."""

from __future__ import annotations

from collections.abc import Iterator

from harness.ledger import HARNESS, Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import derive

QUESTIONS = (Action.FLAGS, Action.RECORDINGS, Action.LIST, Action.OPEN)


def unproved(ledger: Ledger) -> list[Finding]:
    """The flags were in force for every actor, the story was told to its end, and every question had an answer."""
    reasons = [*_flags(ledger), *_story(ledger), *_answers(ledger)]
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


Reason = tuple[str, str, tuple[int, ...]]


def _flags(ledger: Ledger) -> Iterator[Reason]:
    proved = {entry.actor for entry in ledger.of(Action.FLAGS)}
    for actor in derive(ledger).cast:
        if actor not in proved:
            yield f"the flags were not proved to be in force for {actor}", actor, ()
    if HARNESS not in proved:
        failed = [entry for entry in ledger.of(Action.FLAGS, Outcome.FAIL) if entry.actor == HARNESS]
        why = failed[-1].data["error"] if failed else "the trial was cut off"
        yield f"the flags were not proved to be served to the trial's end: {why}", "", ()
    for entry in (entry for entry in ledger.of(Action.FLAGS) if entry.actor != HARNESS):
        for difference in entry.data["differences"]:
            yield (
                f"the target did not have the combination for {entry.actor}: {difference}",
                entry.actor,
                (entry.seq,),
            )


def _story(ledger: Ledger) -> Iterator[Reason]:
    if not ledger.of(Action.STORY, Outcome.OK, Outcome.FAIL):
        yield "the story was not told to its end", "", ()
    for entry in ledger.of(Action.STORY, Outcome.FAIL):
        if not entry.data["assertion"]:
            yield f"the story broke: {entry.data['error']}", "", (entry.seq,)
    not_offered = derive(ledger).not_offered
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


def _answers(ledger: Ledger) -> Iterator[Reason]:
    concluded = {entry.of for entry in ledger}
    for entry in ledger:
        if entry.action not in QUESTIONS or entry.actor == HARNESS:
            continue
        if entry.outcome is Outcome.UNKNOWN:
            yield _unanswered(entry, str(entry.data.get("error", "no answer")))
        elif entry.outcome is Outcome.INTENT and entry.seq not in concluded:
            yield _unanswered(entry, "the run ended first")


def _unanswered(entry: Entry, error: str) -> Reason:
    what = entry.data.get("recording") or entry.data.get("surface") or entry.data.get("visit", "")
    return f"{entry.actor}'s {entry.action} {what} had no answer: {error}", entry.actor, (entry.seq,)
