"""Stored runs for `harness identify`: ledgers as a run writes them, a visit of Alice and one of Bob a trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.canary import MODES, Canary, pack
from harness.ledger import HARNESS, Action, Ledger, Outcome
from harness.running.register import Register

TRIAL = "0000beef"
SCENARIO = "two_visits"
RUN = 0x3A7F1


@dataclass(frozen=True)
class Written:
    """A stored run: where it is, and what its actors emitted and wrote."""

    out: Path
    alice: Canary
    bob: Canary
    bobs_name: str


def written(out: Path, run: int = RUN, *, acknowledged: bool = True, trials: int = 1) -> Written:
    """Write a run's directory; the canaries are those of its last trial."""
    (out / "ledgers").mkdir(parents=True)
    register = Register(run)
    told = [_trial(out, register, f"{int(TRIAL, 16) + each:08x}", acknowledged=acknowledged) for each in range(trials)]
    return told[-1]


def _trial(out: Path, register: Register, trial: str, *, acknowledged: bool) -> Written:
    alice, bob = register.enrol(trial, "alice"), register.enrol(trial, "bob")
    with (out / "ledgers" / f"{trial}.jsonl").open("w") as sink:
        ledger = Ledger(sink)
        cast = {"alice": "patient", "bob": "patient"}
        ledger.note(HARNESS, Action.TRIAL, trial=trial, scenario=SCENARIO, combination={}, run=register.run, cast=cast)
        name = pack(register.canary(bob, 0, MODES.index("name")))
        for actor in cast:
            ledger.conclude(ledger.intend(actor, Action.ENROL, account=f"{actor}-{trial}"), Outcome.OK)
        word = ledger.intend("bob", Action.WRITE, what="name", canary=f"{name:020d}", visit="", to=[])
        ledger.conclude(word, Outcome.OK)
        emitted = {}
        for call, (actor, number) in enumerate((("alice", alice), ("bob", bob)), 1):
            visit = f"visit-{call}"
            booked = ledger.intend(actor, Action.BOOK, visit=visit, clinician="chen", medium="video")
            ledger.conclude(booked, Outcome.OK, consultation=f"con-{trial}-{call}")
            emitted[actor] = register.canary(number, call, MODES.index("video"))
            value = f"{pack(emitted[actor]):020d}"
            sent = ledger.intend(actor, Action.EMIT, visit=visit, medium="video", canary=value)
            ledger.conclude(sent, Outcome.OK if acknowledged else Outcome.UNKNOWN)
        ledger.close()
    return Written(out, emitted["alice"], emitted["bob"], register.inscribe(bob, 0, MODES.index("name")))
