"""What a QA engineer writes: a cast and a story in plain Python. The privacy assertion is the oracle's.

    @scenario(flags=["video-upgrade"])
    async def switching_keeps_replays_apart(alice: Patient, bob: Patient, chen: Clinician):
        hers = await alice.book(chen, medium="audio")
        ...

The signature is the cast: every parameter is a fresh synthetic user with the role of its annotation.
"""

from harness.provenance import REPLAY_LIST
from harness.scenario.actor import Actor, Stage
from harness.scenario.roles import ROLES, Carer, Clinician, Operator, Patient, Pharmacist
from harness.scenario.story import DEFINED, Scenario, Story, checkpoint, scenario, staged, together
from harness.scenario.visit import CALLS_PER_TRIAL, Visit

__all__ = [
    "CALLS_PER_TRIAL",
    "DEFINED",
    "REPLAY_LIST",
    "ROLES",
    "Actor",
    "Carer",
    "Clinician",
    "Operator",
    "Patient",
    "Pharmacist",
    "Scenario",
    "Stage",
    "Story",
    "Visit",
    "checkpoint",
    "scenario",
    "staged",
    "together",
]
