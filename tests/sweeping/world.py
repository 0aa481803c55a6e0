"""A small world made by hand: Alice sees Chen, Bob sees Diaz, Carol cares for Alice, an operator oversees."""

from __future__ import annotations

from harness.canary import Canary, pack
from harness.ledger import HARNESS, Action, Ledger, Outcome
from harness.media.clips import clip
from harness.model import Medium
from harness.sweeping.judging.facts import Facts, Person
from harness.sweeping.judging.judge import Leak, Request, judge
from harness.sweeping.judging.seeing import Answer, Eye

ALICE, BOB, CHEN, DIAZ, CAROL, OPERATOR = (
    f"{name}.k7q2m9-t1" for name in ("alice", "bob", "chen", "diaz", "carol", "operator")
)
CAST = {"alice.k7q2m9": "patient", "bob.k7q2m9": "patient", "chen.k7q2m9": "clinician", "diaz.k7q2m9": "clinician"}
HERS, HIS = "visit-0a1b2c", "visit-9f8e7d"
HER_RECORDING, HIS_RECORDING = "rec-0a1b2c", "rec-9f8e7d"
RUN = 7
HER_CANARY, HIS_CANARY = Canary(RUN, 2, 0, 1), Canary(RUN, 4, 1, 1)


def ledger(*, join: Outcome = Outcome.OK) -> Ledger:
    """Return the ledger of two visits; `join` is how Diaz's attempt to enter Alice's call ended, if it was made."""
    made = Ledger(clock=lambda: 0.0)
    made.note(HARNESS, Action.TRIAL, trial="t1", cast=CAST, not_offered=[])
    for number, name in enumerate(CAST):
        made.note(name, Action.ENROL, account=f"{name}-t1", number=number)
    alice, bob, chen, diaz = CAST
    for patient, clinician, visit, consultation, recording, canary in (
        (alice, chen, "visit-1", HERS, HER_RECORDING, HER_CANARY),
        (bob, diaz, "visit-2", HIS, HIS_RECORDING, HIS_CANARY),
    ):
        made.note(patient, Action.BOOK, visit=visit, clinician=clinician, medium="video", consultation=consultation)
        made.note(patient, Action.JOIN, visit=visit)
        digits = f"{pack(canary):020d}"
        made.note(patient, Action.EMIT, visit=visit, medium="video", canary=digits)
        items = [{"recording": recording, "medium": "video"}]
        made.note(patient, Action.RECORDINGS, visit=visit, items=items)
    if join is not Outcome.OK:
        intent = made.intend(diaz, Action.JOIN, visit="visit-1")
        made.conclude(intent, join, error="silence")
    return made


def facts(*, join: Outcome = Outcome.OK) -> Facts:
    """Return what the ledger says, with Carol and the operator."""
    known = Facts()
    known.learn(ledger(join=join))
    known.add_person(Person(CAROL, "carol.k7q2m9", "patient"))
    known.add_person(Person(OPERATOR, "operator", "operator", oversees=True))
    return known


def media(canary: Canary, medium: Medium = "video") -> bytes:
    """Return WebM that carries a canary."""
    return clip(canary, medium, duration_s=1.0).data


def leaks(
    answer: Answer, viewer: str | None = ALICE, *sent: str, known: Facts | None = None, eye: Eye | None = None
) -> list[Leak]:
    """Return what an answer shows of somebody else's when these texts were sent."""
    request = Request("GET /things/{thing}", "GET", "/things/1", sent)
    return judge(known or facts(), viewer, request, answer, eye or Eye())[0]


def text(body: str, status: int = 200, content_type: str = "application/json", **headers: str) -> Answer:
    """Return an answer with a text."""
    return Answer(status, "OK", {"Content-Type": content_type, **headers}, body.encode())
