"""Small runs to report on: two boolean flags, four combinations, one or two scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.model import Catalogue, Combination, Finding, Flag, Verdict
from harness.planning.exhaustive import exhaustive
from harness.planning.plan import Plan
from harness.running.control import Control
from harness.running.outcome import RunOutcome
from harness.running.trial import TrialResult

CATALOGUE = Catalogue((Flag("cache"), Flag("upgrade")), source="flags/two.toml")
FOUND = Control(found=True, sentence="a foreign video slipped into alice's list was found and proved")

LEAK = Finding(
    check="foreign-media",
    verdict=Verdict.INVALID,
    sentence="alice's replay list served video that bob emitted in visit-2; alice was never in visit-2",
    degree="proved",
    viewer="alice",
    owner="bob",
    surface="replay-list",
    recording="rec-2",
    evidence=(1, 3),
)
MISSING = Finding("missing-media", Verdict.INVALID, "alice took part in visit-1 but did not find the video")
DOUBT = Finding("unproved", Verdict.UNKNOWN, "the story was not told to its end")

Judge = Callable[[str, Combination], Sequence[Finding]]


def plan(*scenarios: str) -> Plan:
    """Return the plan of these scenarios under all four combinations."""
    return exhaustive(CATALOGUE, list(scenarios or ["one"]), 7)


def results(planned: Plan, judge: Judge = lambda _scenario, _combination: ()) -> tuple[TrialResult, ...]:
    """Return one finished result for each trial, with the findings that `judge` gives it."""
    done = []
    for trial in planned.trials:
        findings = tuple(judge(trial.scenario, trial.combination))
        verdict = Verdict.merge(finding.verdict for finding in findings)
        done.append(TrialResult(trial, verdict, findings, 0.5))
    return tuple(done)


def run(judge: Judge = lambda _scenario, _combination: (), *scenarios: str) -> RunOutcome:
    """Return a finished run with its control found."""
    planned = plan(*scenarios)
    return RunOutcome(planned, results(planned, judge), FOUND, requests=1234, elapsed_s=5.6789)


def leak_with_both_on(_scenario: str, combination: Combination) -> Sequence[Finding]:
    """Leak when both flags are on."""
    return [LEAK] if set(combination.values()) == {"on"} else []


def leak_or_missing(_scenario: str, combination: Combination) -> Sequence[Finding]:
    """Leak with the cache alone; miss media with the upgrade alone."""
    return {"off": {"off": [], "on": [MISSING]}, "on": {"off": [LEAK], "on": []}}[combination["cache"]][
        combination["upgrade"]
    ]
