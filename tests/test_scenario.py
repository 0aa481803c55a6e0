"""Stories: the signature is the cast, each verb writes intent and outcome, mistakes are told at once."""

from __future__ import annotations

import asyncio

import pytest

import harness
from harness.errors import TargetError, UsageError
from harness.ledger import Action, Outcome
from harness.scenario import CALLS_PER_TRIAL, Actor, Clinician, Patient, Scenario, Visit, scenario, together
from tests.house import House, play


def test_the_signature_is_the_cast() -> None:
    """Names and roles come from the parameters, place and summary from the source."""

    @scenario(flags=["replay-cache"])
    async def told(alice: Patient, chen: Clinician) -> None:
        """Alice talks to Chen.

        And more.
        """

    assert isinstance(told, Scenario)
    assert told.name == "told"
    assert told.cast == (("alice", Patient), ("chen", Clinician))
    assert told.flags == ("replay-cache",)
    assert told.summary == "Alice talks to Chen."
    assert told.place.startswith(__file__)
    assert int(told.place.rpartition(":")[2]) == told.line


def test_mistakes_in_a_scenario_are_told_with_their_place() -> None:
    """Each says file, line, name and the mend, before anything runs."""

    def not_async(alice: Patient) -> None:
        """No coroutine."""

    async def nobody() -> None:
        """No cast."""

    async def untyped(alice) -> None:  # type: ignore[no-untyped-def]  # the mistake under test
        """No role."""

    async def wrong(alice: int) -> None:
        """Not a role."""

    async def base(alice: Actor) -> None:
        """Not one of the roles."""

    async def unknown(alice: Nurse) -> None:  # type: ignore[name-defined]  # noqa: F821 - the mistake under test
        """A role that was not imported."""

    for story, said in (
        (not_async, "scenario 'not_async' must be an `async def`"),
        (nobody, "scenario 'nobody' has no cast; give it parameters such as `alice: Patient`"),
        (untyped, "'alice' of scenario 'untyped' needs a role: Patient, Clinician, Carer, Pharmacist or Operator"),
        (wrong, "'alice' of scenario 'wrong' needs a role: Patient, Clinician, Carer, Pharmacist or Operator"),
        (base, "'alice' of scenario 'base' needs a role: Patient, Clinician, Carer, Pharmacist or Operator"),
        (unknown, "name 'Nurse' is not defined; import the roles with `from harness import Patient`"),
    ):
        with pytest.raises(UsageError) as caught:
            scenario()(story)  # type: ignore[arg-type]  # a plain function is one of the mistakes
        assert str(caught.value) == f"{__file__}:{story.__code__.co_firstlineno}: {said}"


def test_the_public_names_are_sorted_and_there() -> None:
    """`__all__` is what the package promises, in order."""
    assert list(harness.__all__) == sorted(harness.__all__)
    assert all(hasattr(harness, name) for name in harness.__all__)


def test_a_whole_call() -> None:
    """All join, all are recorded in both media, the first switches, the last ends; each call stands twice."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        await visit.hold(house.alice, house.chen, switch_to="video")
        assert (visit.name, visit.call, visit.consultation, visit.medium) == ("visit-1", 0, "con-1", "video")

    house = play(story)
    assert [call[:2] for call in house.calls if call[1] != "send"] == [
        ("alice-t1", "book"),
        ("alice-t1", "join"),
        ("chen-t1", "join"),
        ("alice-t1", "switch"),
        ("alice-t1", "leave"),
        ("chen-t1", "end"),
    ]
    emitted = {(entry.actor, entry.data["medium"], entry.data["canary"]) for entry in house.ledger.of(Action.EMIT)}
    assert emitted == {(call[0].removesuffix("-t1"), call[3], call[4]) for call in house.calls if call[1] == "send"}
    assert len({canary for _, _, canary in emitted}) == 4
    for action in (Action.BOOK, Action.JOIN, Action.EMIT, Action.SWITCH, Action.LEAVE, Action.END):
        outcomes = house.outcomes(action)
        assert outcomes.count(Outcome.INTENT) == outcomes.count(Outcome.OK) == len(outcomes) // 2
    (booked,) = house.ledger.of(Action.BOOK)
    assert booked.data == {"visit": "visit-1", "clinician": "chen", "medium": "audio", "consultation": "con-1"}
    assert house.registry.elsewhere("con-1", "another") == "visit-1 of trial t1"


def test_a_refused_switch_leaves_the_medium() -> None:
    """The call goes on as it was, and the refusal is in the ledger for the oracle."""

    async def story(house: House) -> None:
        house.errors["switch"] = TargetError("409", definite=True, status=409, code="switch-not-offered")
        visit = await house.alice.book(house.chen, medium="audio")
        await visit.hold(house.alice, house.chen, switch_to="video")
        assert visit.medium == "audio"

    house = play(story)
    assert house.outcomes(Action.SWITCH) == [Outcome.INTENT, Outcome.FAIL]
    assert house.ledger.of(Action.SWITCH, Outcome.FAIL)[0].data["code"] == "switch-not-offered"
    assert len(house.ledger.of(Action.EMIT)) == 2
    assert len(house.ledger.of(Action.END)) == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TargetError("403", definite=True), Outcome.FAIL),
        (TargetError("silence", definite=False), Outcome.UNKNOWN),
        (ValueError("broken driver"), Outcome.UNKNOWN),
    ],
)
def test_a_call_that_fails_is_written_and_raised(error: Exception, outcome: Outcome) -> None:
    """A refusal is certain, everything else may have taken effect; the story hears of both."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        house.errors.update(dict.fromkeys(("join", "send", "leave", "end", "replays", "enrol", "book"), error))
        for call in (
            visit.join(house.bob),
            visit.emit(house.bob),
            visit.leave(house.bob),
            visit.end(house.bob),
            house.bob.replays(),
            house.bob.enrol(),
            house.bob.book(house.chen, medium="audio"),
        ):
            with pytest.raises(type(error), match=str(error)):
                await call

    house = play(story)
    for action in (Action.JOIN, Action.EMIT, Action.LEAVE, Action.END, Action.LIST, Action.ENROL):
        assert house.outcomes(action) == [Outcome.INTENT, outcome]
    assert house.outcomes(Action.BOOK)[2:] == [Outcome.INTENT, outcome]


def test_an_uncertain_switch_breaks_the_story() -> None:
    """What may have been switched cannot be gone on with."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        house.errors["switch"] = TargetError("silence", definite=False)
        with pytest.raises(TargetError, match="silence"):
            await visit.switch(house.alice, "video")
        assert visit.medium == "audio"

    assert play(story).outcomes(Action.SWITCH) == [Outcome.INTENT, Outcome.UNKNOWN]


def test_no_secret_of_an_error_is_written() -> None:
    """A signed address or a token in what a driver says went wrong gets into no ledger, which is kept and sent."""

    async def story(house: House) -> None:
        said = "GET /replays?access_token=SEKRETSEKRET: Authorization: Bearer SEKRETBEARER1"
        house.errors["book"] = TargetError(said, definite=False)
        with pytest.raises(TargetError):
            await house.alice.book(house.chen, medium="audio")

    (entry,) = play(story).ledger.of(Action.BOOK, Outcome.UNKNOWN)
    assert "SEKRET" not in entry.as_json()
    assert "GET /replays?access_token=" in entry.data["error"]


def test_a_cancelled_call_is_unknown() -> None:
    """An interruption leaves no intent without its outcome."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await visit.join(house.alice)

    assert play(story).outcomes(Action.JOIN) == [Outcome.INTENT, Outcome.UNKNOWN]


def test_a_replay_list_is_written_with_what_the_run_knows() -> None:
    """Each entry keeps the target's ids, and the other trial that its consultation belongs to."""

    async def story(house: House) -> None:
        await house.alice.book(house.chen, medium="audio")
        assert [recording.ref for recording in await house.alice.replays()] == ["rec-1", "rec-9"]

    (listed,) = play(story).ledger.of(Action.LIST)
    assert listed.data["surface"] == "replay-list"
    assert [(i["recording"], i["consultation"], i["medium"], i["elsewhere"]) for i in listed.data["items"]] == [
        ("rec-1", "con-1", "video", None),
        ("rec-9", "con-9", "audio", "visit-5 of trial t2"),
    ]


def test_what_was_recorded_is_waited_for_by_its_patient() -> None:
    """The driver waits, whoever else took part is not asked, and the answer is written down."""

    async def story(house: House) -> None:
        visit = await house.alice.book(house.chen, medium="audio")
        assert await visit.recorded() == []
        house.errors["recordings"] = TargetError("not finished", definite=False)
        with pytest.raises(TargetError):
            await visit.recorded()

    house = play(story)
    assert [(entry.actor, entry.outcome) for entry in house.ledger.of(Action.RECORDINGS, *Outcome)] == [
        ("alice", Outcome.INTENT),
        ("alice", Outcome.OK),
        ("alice", Outcome.INTENT),
        ("alice", Outcome.UNKNOWN),
    ]


def test_a_scenario_is_bounded() -> None:
    """A canary has room for 32 calls, and one more is the author's mistake."""

    async def story(house: House) -> None:
        for number in range(CALLS_PER_TRIAL):
            visit = await house.alice.book(house.chen, medium="audio")
            assert visit.name == f"visit-{number + 1}"
        with pytest.raises(UsageError, match="alice books visit 33: a scenario has at most 32"):
            await house.alice.book(house.chen, medium="audio")

    assert len(play(story).ledger.of(Action.BOOK)) == CALLS_PER_TRIAL


def test_a_call_needs_somebody() -> None:
    """Nobody cannot hold a call."""

    async def story(house: House) -> None:
        with pytest.raises(UsageError, match=r"visit-1\.hold\(\) needs the actors"):
            await Visit("visit-1", 0, "audio", house.stage, house.alice).hold()

    play(story)


def test_things_done_together_overlap_and_are_all_finished() -> None:
    """Each begins before any ends; one error is raised as it is, after all the others are done."""
    done: list[str] = []

    async def step(name: str, *, fails: bool = False) -> None:
        done.append(f"{name} begins")
        await asyncio.sleep(0)
        if fails:
            raise ValueError(name)
        done.append(f"{name} ends")

    async def several(*failing: str) -> None:
        async with together() as at_once:
            for name in ("one", "two", "three"):
                at_once(step, name, fails=name in failing)
            assert done == []

    asyncio.run(several())
    assert done == ["one begins", "two begins", "three begins", "one ends", "two ends", "three ends"]
    done.clear()
    with pytest.raises(ValueError, match="two"):
        asyncio.run(several("two"))
    assert "three ends" in done
    done.clear()
    with pytest.raises(ExceptionGroup, match="several things") as caught:
        asyncio.run(several("one", "two"))
    assert [str(error) for error in caught.value.exceptions] == ["one", "two"]


def test_a_scenario_without_parentheses() -> None:
    """`@scenario` alone is `@scenario()`."""

    @scenario
    async def alone(alice: Patient) -> None:
        """Nothing happens."""

    assert (alone.name, alone.flags, [name for name, _ in alone.cast]) == ("alone", (), ["alice"])


def test_flags_as_one_string() -> None:
    """A string is refused where a list of flags belongs: its letters are no flags."""
    with pytest.raises(UsageError, match=r"flags of scenario 'alone' must be a list: flags=\['video-upgrade'\]"):

        @scenario(flags="video-upgrade")
        async def alone(alice: Patient) -> None:
            """Nothing happens."""
