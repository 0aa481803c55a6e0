"""A run's outcome: one finished result for each expected cell, or no verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.checks import NAMES
from harness.model import Combination, Finding, Trial, Verdict
from harness.running.control import Control
from harness.running.outcome import ExitCode, RunOutcome, all_of, is_leak
from harness.running.rank import as_told, foremost, leaks_alone, rank
from harness.running.trial import not_executed
from tests.running.runs import DOUBT, FOUND, LEAK, MISSING, leak_or_missing, leak_with_both_on, plan, results, run


def test_a_run_of_valid_trials_is_valid() -> None:
    """Every expected cell valid once, the control found: exit code 0."""
    outcome = run()
    assert (outcome.verdict, outcome.exit_code, outcome.doubts) == (Verdict.VALID, ExitCode.VALID, ())
    assert outcome.executed == 4
    assert outcome.safe == ()
    (scenario,) = outcome.scenarios
    assert (scenario.verdict, scenario.worst, scenario.conditions) == (Verdict.VALID, None, ())
    assert scenario.counts == {Verdict.VALID: 4}


def test_a_leak_is_narrowed_to_its_flags() -> None:
    """The condition is the smallest cause, and the safe regions avoid it."""
    outcome = run(leak_with_both_on)
    (scenario,) = outcome.scenarios
    assert (outcome.verdict, outcome.exit_code) == (Verdict.INVALID, ExitCode.INVALID)
    assert [condition.literals for condition in scenario.conditions] == [(("cache", "on"), ("upgrade", "on"))]
    assert scenario.leaks_under(scenario.conditions[0])
    assert [region.literals for region in outcome.safe] == [(("cache", "off"),), (("upgrade", "off"),)]
    assert scenario.worst is not None
    assert scenario.worst.findings == (LEAK,)


def test_only_conditions_under_which_somebody_met_foreign_media_leak() -> None:
    """A condition under which something else failed is not called a leak because another one leaks."""
    (scenario,) = run(leak_or_missing).scenarios
    said = {condition.literals: scenario.leaks_under(condition) for condition in scenario.conditions}
    assert said == {
        (("cache", "on"), ("upgrade", "off")): True,
        (("cache", "off"), ("upgrade", "on")): False,
    }


def test_a_leak_beats_no_verdict() -> None:
    """Invalid and unknown trials together are invalid, and the invalid one is looked at first."""
    outcome = run(lambda _scenario, combination: [LEAK] if combination["cache"] == "on" else [DOUBT])
    assert outcome.exit_code is ExitCode.INVALID
    (scenario,) = outcome.scenarios
    assert scenario.worst is not None
    assert scenario.worst.verdict is Verdict.INVALID


def test_unknown_trials_make_the_run_unknown() -> None:
    """No verdict has an exit code of its own, and no leak condition."""
    outcome = run(lambda _scenario, combination: [DOUBT] if combination["cache"] == "on" else [])
    assert (outcome.verdict, outcome.exit_code) == (Verdict.UNKNOWN, ExitCode.UNKNOWN)
    assert (outcome.scenarios[0].conditions, outcome.safe) == ((), ())
    assert outcome.scenarios[0].worst == outcome.results[2]


def test_the_order_in_which_trials_ended_changes_nothing() -> None:
    """The trial to look at first is the plan's first, not the one that happened to end first."""
    whole = run(lambda _scenario, combination: [DOUBT] if combination["cache"] == "on" else [])
    outcome = replace(whole, results=whole.results[::-1])
    assert outcome.results == whole.results
    assert outcome.scenarios[0].worst == whole.results[2]


def test_a_cell_without_a_result_makes_the_run_and_its_scenario_unknown() -> None:
    """What was expected and never finished is not valid, in the run nor in its scenario."""
    whole = run((lambda _scenario, _combination: ()), "one", "two")
    outcome = replace(whole, results=whole.results[:-1])
    assert outcome.doubts == ("1 of 8 expected trials have no result",)
    assert (outcome.verdict, outcome.executed) == (Verdict.UNKNOWN, 3)
    assert [scenario.verdict for scenario in outcome.scenarios] == [Verdict.VALID, Verdict.UNKNOWN]
    assert outcome.scenarios[1].counts == {Verdict.VALID: 3}


def test_a_cell_that_was_not_executed_has_no_result() -> None:
    """A placeholder says why, and counts for nothing."""
    planned = plan()
    done = (*results(planned)[:-1], not_executed(planned.trials[-1], "the target died"))
    outcome = RunOutcome(planned, done, FOUND)
    assert outcome.doubts == ("1 of 4 expected trials have no result",)
    assert outcome.executed == 3
    assert outcome.scenarios[0].verdict is Verdict.UNKNOWN


def test_a_cell_with_two_results_is_a_doubt_and_the_worse_one_counts() -> None:
    """A leak is never retried away."""
    planned = plan()
    done = results(planned)
    again = replace(done[0], verdict=Verdict.INVALID, findings=(LEAK,))
    outcome = RunOutcome(planned, (again, *done), FOUND)
    assert outcome.doubts == ("1 trials have more than one result",)
    assert outcome.scenarios[0].verdict is Verdict.INVALID
    assert outcome.verdict is Verdict.INVALID


def test_a_result_that_nobody_expected_is_a_doubt() -> None:
    """Results of cells that are not in the plan were never promised."""
    whole = run()
    stray = replace(whole.results[0], trial=Trial("other", Combination((("cache", "on"),))))
    assert replace(whole, results=(*whole.results, stray)).doubts == ("1 results belong to no expected trial",)


@pytest.mark.parametrize(
    ("control", "doubt"),
    [(None, "the control did not run"), (Control(found=False, sentence="it was not found"), "it was not found")],
)
def test_a_run_without_its_control_is_unknown(control: Control | None, doubt: str) -> None:
    """An instrument that is not seen to work proves nothing."""
    outcome = replace(run(), control=control)
    assert outcome.exit_code is ExitCode.UNKNOWN
    assert len(outcome.doubts) == 1
    assert doubt in outcome.doubts[0]


BLIND = Control(found=False, sentence="it was not found")


@pytest.mark.parametrize(
    ("controls", "found", "said"),
    [
        ([FOUND], True, FOUND.sentence),
        ([FOUND, FOUND], True, f"{FOUND.sentence}, in each of 2 deployments"),
        ([BLIND], False, BLIND.sentence),
        ([FOUND, BLIND, FOUND], False, f"{BLIND.sentence} (deployment 2 of 3)"),
        ([FOUND, None], False, "the control did not run, so no list can be believed (deployment 2 of 2)"),
    ],
    ids=["one", "all", "one blind", "one of three blind", "one missing"],
)
def test_every_deployment_is_an_instrument_of_its_own(
    controls: list[Control | None],
    found: bool,  # noqa: FBT001 - parametrized
    said: str,
) -> None:
    """The control is found when each deployment's is; the first that is not is named."""
    assert all_of(controls) == Control(found=found, sentence=said)


def test_no_control_at_all_is_none() -> None:
    """A run that never came to its first control has none."""
    assert all_of([]) is None


def test_a_run_of_nothing_is_unknown() -> None:
    """No trial, no verdict."""
    nothing = RunOutcome(replace(plan(), trials=()), (), FOUND)
    assert (nothing.verdict, nothing.exit_code) == (Verdict.UNKNOWN, ExitCode.UNKNOWN)


def test_an_interrupted_run_and_a_faulty_one_say_so() -> None:
    """Neither is valid; an interruption has pytest's own exit code."""
    outcome = replace(run(), interrupted=True)
    assert (outcome.verdict, outcome.exit_code) == (Verdict.UNKNOWN, ExitCode.INTERRUPTED)
    outcome = replace(run(), fault="the target died")
    assert (outcome.exit_code, outcome.doubts) == (ExitCode.UNKNOWN, ("the target died",))


@pytest.mark.parametrize(
    ("finding", "leaks"),
    [
        (LEAK, True),
        (replace(LEAK, check="reachable-media"), True),
        (replace(LEAK, check="count-mismatch"), True),
        (MISSING, False),
        (DOUBT, False),
    ],
)
def test_only_what_is_anothers_is_a_leak(*, finding: Finding, leaks: bool) -> None:
    """Missing media fails the build too, but nobody's media was shown to anybody."""
    result = replace(run().results[0], findings=(finding,))
    assert is_leak(result) is leaks
    assert not is_leak(replace(result, findings=(replace(finding, verdict=Verdict.UNKNOWN),)))


def test_a_trial_that_leaks_by_itself_is_shown_first() -> None:
    """Of the invalid trials the first that needs no other is looked at first; one that needs others, if all do."""
    borrowed = replace(LEAK, owner="bob of trial 31b29c27")
    every = run(lambda _scenario, combination: [LEAK if combination["cache"] == "on" else borrowed])
    (scenario,) = every.scenarios
    assert scenario.worst is not None
    assert (scenario.worst.trial.combination["cache"], scenario.worst.needs_others) == ("on", False)
    (others,) = run(lambda _scenario, _combination: [borrowed]).scenarios
    assert others.worst is not None
    assert others.worst.needs_others


def test_the_gravest_that_a_trial_shows_by_itself_decides_what_is_shown() -> None:
    """Foreign media of its own comes before a direct reference, and last what only other trials explain."""
    borrowed, reached = replace(LEAK, owner="bob of trial 31b29c27"), replace(LEAK, check="reachable-media")
    counted = replace(LEAK, check="count-mismatch", owner="")
    listed = replace(LEAK, degree="presented")
    kinds = {"offoff": [borrowed, counted], "offon": [reached, listed], "onoff": [LEAK], "onon": [LEAK, reached]}
    (scenario,) = run(lambda _scenario, each: kinds[each["cache"] + each["upgrade"]]).scenarios
    assert scenario.worst is not None
    assert dict(scenario.worst.trial.combination) == {"cache": "on", "upgrade": "off"}
    assert [rank(found) for found in kinds.values()] == [(len(NAMES), -2), (0, 0), (0, -2), (0, -2)]
    assert rank([]) > rank([borrowed])


def test_what_a_trial_shows_by_itself_is_told_first() -> None:
    """Its own findings come before other trials', which playing it again does not show; the gravest of these second."""
    borrowed = [replace(LEAK, owner=f"bob of trial 0000000{number}") for number in range(4)]
    listed, reached = replace(LEAK, degree="presented"), replace(LEAK, check="reachable-media")
    assert as_told([*borrowed, reached, listed, LEAK]) == [LEAK, listed, reached, *borrowed]
    presented = replace(borrowed[0], degree="presented")
    assert as_told([presented, *borrowed[1:], reached, MISSING, DOUBT]) == [
        reached,
        borrowed[1],
        MISSING,
        presented,
        *borrowed[2:],
        DOUBT,
    ]
    assert as_told([*borrowed, DOUBT]) == [*borrowed, DOUBT]
    assert as_told([]) == []


def test_a_headline_tells_of_a_leak_before_all_else() -> None:
    """Its own leak, else another trial's, and only without any what else the trial shows by itself."""
    borrowed = replace(LEAK, owner="bob of trial 31b29c27")
    assert foremost([borrowed, LEAK]) == LEAK
    assert foremost([borrowed, MISSING]) == borrowed
    assert foremost([MISSING, DOUBT]) == MISSING
    assert foremost([DOUBT]) == DOUBT
    assert foremost([]) is None
    assert [leaks_alone(each) for each in ([borrowed, LEAK], [borrowed, MISSING], [MISSING])] == [True, False, False]


def test_scenarios_that_leak_by_themselves_are_told_first() -> None:
    """Of the others the first failure that is read could not be played again; otherwise the plan's order stays."""
    borrowed = replace(LEAK, owner="bob of trial 31b29c27")
    reached = replace(LEAK, check="reachable-media")
    found: dict[str, list[Finding]] = {
        "one": [],
        "two": [borrowed],
        "three": [MISSING],
        "four": [borrowed, reached],
        "five": [borrowed, LEAK],
        "six": [LEAK],
    }
    outcome = run(lambda scenario, _combination: found[scenario], *found)
    assert [each.name for each in outcome.told] == ["five", "six", "four", "one", "two", "three"]
    assert [each.name for each in outcome.scenarios] == list(found)


def test_an_assertion_that_failed_needs_no_others() -> None:
    """What is no leak is not blamed on other trials."""
    promise = replace(MISSING, check="broken-promise")
    assert not replace(run().results[0], verdict=Verdict.INVALID, findings=(promise,)).needs_others
