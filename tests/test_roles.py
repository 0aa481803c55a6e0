"""What only some roles do: each verb reaches the target once, and the ledger says before and after what it was."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import TargetError, UsageError
from harness.ledger import Action, Outcome
from harness.model import Recording
from harness.scenario import Carer, Clinician, Operator, Patient, Pharmacist, Scenario, checkpoint, scenario, staged
from tests.house import Able, House, play

REFUSAL = TargetError("POST /shares: 404 not-found", definite=True)
SILENCE = TargetError("POST /shares: no answer", definite=False)


def test_a_name_carries_its_owners_canary() -> None:
    """Whoever enrols is called so that others' pages show whose name it is."""
    house = play(lambda house: house.alice.enrol(), Able)
    (_, _, name), _ = house.calls
    (written,) = house.ledger.of(Action.WRITE)
    assert written.data["what"] == "name"
    assert name == f"Alice word{written.data['canary']}"


def test_a_target_without_names_is_told_none() -> None:
    """Where the hands cannot say what others read nothing is written down as if they had."""
    house = play(lambda house: house.alice.enrol())
    assert house.calls == [("alice-t1", "enrol")]
    assert not house.ledger.of(Action.WRITE, *Outcome)


def test_media_has_a_caption_where_the_target_takes_one() -> None:
    """The caption carries the canary of who speaks, and is written down with its visit."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        await visit.emit(house.alice)

    house = play(story, Able)
    (written,) = house.ledger.of(Action.WRITE)
    assert written.data == {"what": "note", "canary": written.data["canary"], "visit": "visit-1", "to": []}
    assert house.calls[-1] == ("alice-t1", "send", "con-1", "audio", f"word{written.data['canary']}")


def test_media_that_never_came_took_its_caption_with_it() -> None:
    """A refused emission is a refused writing."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        house.errors["send"] = REFUSAL
        with pytest.raises(TargetError):
            await visit.emit(house.alice)

    house = play(story, Able)
    assert house.outcomes(Action.WRITE) == house.outcomes(Action.EMIT) == [Outcome.INTENT, Outcome.FAIL]


@pytest.mark.parametrize(
    ("error", "granted", "outcome"),
    [(None, True, Outcome.OK), (REFUSAL, False, Outcome.FAIL)],
    ids=["granted", "refused"],
)
def test_a_share_is_granted_or_refused(error: TargetError | None, granted: bool, outcome: Outcome) -> None:  # noqa: FBT001 - a case
    """A refusal is an answer, as with a switch; what is shared is told with its visit and its carer."""
    recording = Recording("rec-1", "con-1", "video")

    async def story(house: House) -> None:
        await house.alice.book(house.chen, medium="video")
        if error:
            house.errors["share"] = error
        assert await house.alice.share(recording, house.actor(Carer, "carol", 3)) is granted

    house = play(story, Able)
    assert house.outcomes(Action.SHARE) == [Outcome.INTENT, outcome]
    about = house.ledger.of(Action.SHARE, Outcome.INTENT)[0].data
    assert about == {"visit": "visit-1", "recording": "rec-1", "carer": "carol"}


def test_silence_to_a_share_is_no_refusal() -> None:
    """A share that was not answered may stand, and the story does not go on as if it did not."""

    async def story(house: House) -> None:
        house.errors["share"] = SILENCE
        with pytest.raises(TargetError):
            await house.alice.share(Recording("rec-1", "con-1", "video"), house.actor(Carer, "carol", 3))

    assert play(story, Able).outcomes(Action.SHARE) == [Outcome.INTENT, Outcome.UNKNOWN]


def test_a_prescription_is_addressed_to_the_chosen_pharmacy() -> None:
    """Who may read it follows from what its patient chose before."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        await house.alice.choose_pharmacy(house.actor(Pharmacist, "pia", 3))
        await house.chen.prescribe(visit)
        await house.bob.measure()

    house = play(story, Able)
    prescribed, measured = house.ledger.of(Action.WRITE)
    assert (prescribed.data["what"], prescribed.data["visit"], prescribed.data["to"]) == (
        "prescription",
        "visit-1",
        ["pia"],
    )
    assert measured.data["what"] == "metric"
    assert ("chen-t1", "prescribe", "con-1", f"Placebo word{prescribed.data['canary']}") in house.calls
    assert ("alice-t1", "choose", "pia-t1") in house.calls


def test_a_call_is_handed_over() -> None:
    """The ledger says who has it from now on."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        await house.chen.hand_over(visit, house.actor(Clinician, "dana", 3))

    house = play(story, Able)
    assert house.ledger.of(Action.HAND_OVER)[0].data == {"visit": "visit-1", "clinician": "dana"}
    assert house.calls[-1] == ("chen-t1", "hand-over", "con-1", "dana-t1")


def test_replays_are_open_again_after_the_block() -> None:
    """The kill switch is thrown back whatever happens while it is thrown, and was open when the operator came."""

    async def story(house: House) -> None:
        olga = house.actor(Operator, "olga", 3)
        await olga.enrol()
        with pytest.raises(ZeroDivisionError):
            async with olga.replays_closed():
                raise ZeroDivisionError

    house = play(story, Able)
    assert [entry.data["open"] for entry in house.ledger.of(Action.ACCESS)] == [True, False, True]
    assert [call[2] for call in house.calls if call[1] == "replays"] == ["open", "closed", "open"]


def test_a_verb_that_the_hands_lack_is_told() -> None:
    """The story's author learns which actor, which verb and which role."""

    async def story(house: House) -> None:
        with pytest.raises(UsageError, match="alice cannot measure: this target's patient has no such hands"):
            await house.alice.measure()

    assert not play(story).ledger.of(Action.WRITE, *Outcome)


def test_a_story_that_acts_on_everybody_is_played_alone() -> None:
    """An operator in the cast says so; nobody else does."""

    @scenario
    async def quiet(alice: Patient, carol: Carer, pia: Pharmacist) -> None:
        """Nobody throws a switch."""

    @scenario
    async def loud(alice: Patient, olga: Operator) -> None:
        """Somebody does."""

    assert isinstance(quiet, Scenario)
    assert isinstance(loud, Scenario)
    assert (quiet.is_alone, loud.is_alone) == (False, True)


def test_a_checkpoint_is_the_oracles_look() -> None:
    """In a story it asks the stage's sweep, also from within `together`; outside of one it is a mistake."""
    looks: list[str] = []
    house = House()

    async def sweep() -> None:
        looks.append("looked")

    async def told() -> None:
        house.stage.sweep = sweep
        with staged(house.stage):
            await asyncio.gather(checkpoint(), checkpoint())

    asyncio.run(told())
    assert looks == ["looked", "looked"]
    with pytest.raises(UsageError, match="belongs in a story"):
        asyncio.run(checkpoint())
