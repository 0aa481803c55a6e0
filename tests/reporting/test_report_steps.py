"""A trial's steps: in time order under their headings, each failure where it was seen."""

from harness.ledger import Ledger, Outcome
from harness.model import Finding, Verdict
from harness.oracle import judge
from harness.reporting.report.steps import MAX_STEPS, SIGNING_UP, STORY, Step, lists, steps
from tests.checks.stories import canary, item, sound, story
from tests.reporting.stored import leaked


def told(ledger: Ledger) -> dict[str, Step]:
    """Return a ledger's headings by name."""
    return {step.name: step for step in steps(ledger, judge(ledger).findings)}


def test_the_story_comes_first_and_what_each_could_see_after_it() -> None:
    """Signing up, the story, then one heading an actor; of a good trial nothing fails."""
    headings = told(sound().closed())
    assert list(headings) == [SIGNING_UP, STORY, *(f"what {name} can see" for name in ("alice", "bob", "chen"))]
    assert {step.status for step in headings.values()} == {"passed"}
    names = [step.name for step in headings[STORY].steps]
    assert names[:3] == ["#8 alice books visit-1 by video with chen", "#10 alice joins visit-1", names[2]]
    assert names[2].startswith("#12 alice emits video in visit-1 as canary ")


def test_a_leak_fails_the_steps_in_which_it_was_seen() -> None:
    """The list and the opening are failed and say why; the owner's own emission is not to blame."""
    headings = told(leaked())
    assert [name for name, step in headings.items() if step.status == "failed"] == ["what alice can see"]
    seen = headings["what alice can see"].steps
    blamed = [step for step in seen if step.status == "failed"]
    assert any("opens rec-2: video of bob in visit-2, video of chen in visit-2" in step.name for step in blamed)
    assert all("alice was never in visit-2" in step.message for step in blamed)


def test_calls_that_failed_are_marked() -> None:
    """A refusal by itself is grey, silence is broken, and both say so."""
    ledger = story().proves("alice").books("alice", "visit-1").joins("bob", "visit-1", Outcome.FAIL)
    ledger.joins("chen", "visit-1", Outcome.UNKNOWN).ends("visit-1", Outcome.INTENT).told()
    below = {step.name.partition(" ")[2]: step.status for step in told(ledger.ledger())[STORY].steps}
    assert below["bob joins visit-1 (refused: 409 refused)"] == "skipped"
    assert below["chen joins visit-1 (no answer: silence)"] == "broken"
    assert below["chen ends visit-1 (no answer)"] == "broken"
    assert told(ledger.ledger())[STORY].status == "broken"


def test_a_broken_story_says_where() -> None:
    """The step that ended the story has the scenario's file and line."""
    headings = told(story().proves("alice").told("story.py:7: KeyError: 'x'").ledger())
    assert headings[STORY].steps[-1].name == "#3 harness could not tell the story to its end: story.py:7: KeyError: 'x'"


def test_a_long_trial_is_cut_and_says_so() -> None:
    """More than the limit of steps is counted instead of shown."""
    long = sound()
    for _ in range(MAX_STEPS):
        long.joins("alice", "visit-1")
    shown = steps(long.closed(), ())
    assert sum(step.count for step in shown) <= MAX_STEPS + 10
    assert shown[-1].name.startswith("... and ")


def test_evidence_beyond_the_ledger_is_harmless() -> None:
    """A finding that names an entry which is not there, as after a crash, blames nothing."""
    stray = Finding("foreign-media", Verdict.INVALID, "x", evidence=(10_000,))
    assert {step.status for step in steps(sound().closed(), [stray])} == {"passed"}


def test_the_lists_say_whose_each_recording_proved_to_be() -> None:
    """The last list of each actor, each entry with what its content showed."""
    shown = lists(leaked())["alice"]
    assert [each["recording"] for each in shown] == ["rec-1", "rec-2"]
    assert shown[1]["shows"] == ["video of bob in visit-2", "video of chen in visit-2"]
    assert lists(sound().lists("bob", item("rec-9")).closed())["bob"][0]["shows"] == []


def test_a_long_list_is_told_by_what_it_showed() -> None:
    """Of entries that nobody opened only the first are told, the rest are counted."""
    told = sound().lists("alice", *(item(f"rec-{number}") for number in range(50)))
    shown = lists(told.opens("alice", "rec-40", canary("bob", "visit-2")).closed())["alice"]
    assert [each.get("recording") for each in shown] == [*(f"rec-{number}" for number in range(20)), "rec-40", None]
    assert shown[-1] == {"left out": "29 more, none of them opened"}
