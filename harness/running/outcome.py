"""The run's outcome: every cell's one result, merged to a verdict and an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from harness.checks import LEAKS
from harness.model import Combination, Verdict
from harness.planning.narrow import Condition, Region, leak_conditions, safe_regions
from harness.planning.plan import Plan
from harness.running.control import Control
from harness.running.rank import leaks_alone, rank
from harness.running.trial import TrialResult


class ExitCode(IntEnum):
    """pytest's own exit codes, and one more: no verdict."""

    VALID = 0
    INVALID = 1
    INTERRUPTED = 2
    FAULT = 3
    USAGE = 4
    NOTHING_COLLECTED = 5
    UNKNOWN = 6


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """What one scenario showed over all its combinations."""

    name: str
    verdict: Verdict
    results: tuple[TrialResult, ...]
    conditions: tuple[Condition, ...]

    @property
    def counts(self) -> Counter[Verdict]:
        """How many of its trials have each verdict."""
        return Counter(result.verdict for result in self.results)

    def leaks_under(self, condition: Condition) -> bool:
        """True when somebody met what is another's where the condition holds, and not merely something else failed."""
        return any(
            is_leak(result) and set(condition.literals) <= set(result.trial.combination.items())
            for result in self.results
        )

    @property
    def worst(self) -> TrialResult | None:
        """The result to look at first: of the invalid ones by their rank, else the first unknown one."""
        invalid = [result for result in self.results if result.verdict is Verdict.INVALID]
        unknown = (result for result in self.results if result.verdict is Verdict.UNKNOWN)
        return min(invalid, key=lambda result: rank(result.findings), default=next(unknown, None))


@dataclass(frozen=True)
class RunOutcome:
    """A run as its reports see it; `control` is what all its `controls`, one a deployment, say together.

    `results` may be given as they came: they are kept in the plan's order, so that a run that is played again says
    the same of the same trials. Results of no expected trial come last.
    """

    plan: Plan
    results: tuple[TrialResult, ...]
    control: Control | None
    controls: int = 1
    requests: int = 0
    elapsed_s: float = 0.0
    interrupted: bool = False
    fault: str = ""

    def __post_init__(self) -> None:
        """Put the results in the plan's order."""
        place = {trial.id: number for number, trial in enumerate(self.plan.trials)}
        ordered = sorted(self.results, key=lambda result: place.get(result.trial.id, len(place)))
        object.__setattr__(self, "results", tuple(ordered))

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Why the run as a whole cannot be called valid, beyond what its trials say."""
        found = []
        if self.fault:
            found.append(self.fault)
        if self.interrupted:
            found.append("the run was interrupted")
        finished = Counter(result.trial.id for result in self.results if result.executed)
        missing = sum(1 for trial in self.plan.trials if finished[trial.id] == 0)
        doubled = sum(1 for count in finished.values() if count > 1)
        if missing:
            found.append(f"{missing} of {len(self.plan.trials)} expected trials have no result")
        stray = len(finished.keys() - {trial.id for trial in self.plan.trials})
        if stray:
            found.append(f"{stray} results belong to no expected trial")
        if doubled:
            found.append(f"{doubled} trials have more than one result")
        if self.control is None:
            found.append("the control did not run, so no list can be believed")
        elif not self.control.found:
            found.append(self.control.sentence)
        return tuple(found)

    @cached_property
    def verdict(self) -> Verdict:
        """The worst of all trials, and unknown where the run as a whole is in doubt."""
        doubt = [Verdict.UNKNOWN] if self.doubts or not self.results else []
        return Verdict.merge([*(result.verdict for result in self.results), *doubt])

    @property
    def exit_code(self) -> ExitCode:
        """What the process should end with. A leak beats no verdict; an interruption is told as such."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        return {
            Verdict.VALID: ExitCode.VALID,
            Verdict.UNKNOWN: ExitCode.UNKNOWN,
            Verdict.INVALID: ExitCode.INVALID,
        }[self.verdict]

    @cached_property
    def executed(self) -> int:
        """How many combinations were executed in every scenario of the plan."""
        done: dict[Combination, set[str]] = {}
        for result in self.results:
            if result.executed:
                done.setdefault(result.trial.combination, set()).add(result.trial.scenario)
        return sum(1 for scenarios in done.values() if len(scenarios) == len(self.plan.scenarios))

    @cached_property
    def scenarios(self) -> tuple[ScenarioOutcome, ...]:
        """Each scenario's outcome, in the order of the plan."""
        return tuple(self._scenario(name) for name in self.plan.scenarios)

    @property
    def told(self) -> tuple[ScenarioOutcome, ...]:
        """The scenarios as they are told: first those of which a trial alone shows a leak, the gravest before others.

        All the rest stand behind them in the plan's order.
        """

        def place(scenario: ScenarioOutcome) -> tuple[int, ...]:
            found = scenario.worst.findings if scenario.worst else ()
            return (0, *rank(found)) if leaks_alone(found) else (1,)

        return tuple(sorted(self.scenarios, key=place))

    @cached_property
    def safe(self) -> tuple[Region, ...]:
        """Under which flags every scenario was valid; none when nothing leaks, or nothing can be compared."""
        merged = {
            combination: Verdict.merge(self._cell(name, combination) for name in self.plan.scenarios)
            for combination in self.plan.combinations
        }
        comparable = len(merged) > 1 and Verdict.INVALID in merged.values()
        return safe_regions(self.plan.catalogue, merged) if comparable else ()

    def _cell(self, scenario: str, combination: Combination) -> Verdict:
        """Return the worst of a cell's results; unknown when it has none."""
        found = self._cells.get((scenario, combination), ())
        return Verdict.merge(found) if found else Verdict.UNKNOWN

    @cached_property
    def _cells(self) -> dict[tuple[str, Combination], list[Verdict]]:
        cells: dict[tuple[str, Combination], list[Verdict]] = {}
        for result in self.results:
            cells.setdefault((result.trial.scenario, result.trial.combination), []).append(result.verdict)
        return cells

    def _scenario(self, name: str) -> ScenarioOutcome:
        results = tuple(result for result in self.results if result.trial.scenario == name)
        verdicts = {result.trial.combination: self._cell(name, result.trial.combination) for result in results}
        expected = [trial.combination for trial in self.plan.trials if trial.scenario == name]
        comparable = len(verdicts) > 1 and Verdict.INVALID in verdicts.values()
        return ScenarioOutcome(
            name,
            Verdict.merge([*verdicts.values(), *(self._cell(name, combination) for combination in expected)]),
            results,
            leak_conditions(self.plan.catalogue, verdicts) if comparable else (),
        )


def all_of(controls: Sequence[Control | None]) -> Control | None:
    """Return what the deployments' controls say together: found when each was; None when there is none at all."""
    for number, each in enumerate(controls, 1):
        where = f" (deployment {number} of {len(controls)})" if len(controls) > 1 else ""
        if each is None:
            return Control(found=False, sentence=f"the control did not run, so no list can be believed{where}")
        if not each.found:
            return Control(found=False, sentence=f"{each.sentence}{where}")
    first = next(iter(controls), None)
    if first is None or len(controls) == 1:
        return first
    return Control(found=True, sentence=f"{first.sentence}, in each of {len(controls)} deployments")


def is_leak(result: TrialResult) -> bool:
    """True when somebody met what is not theirs, and not merely something else went wrong."""
    return any(finding.check in LEAKS and finding.verdict is Verdict.INVALID for finding in result.findings)
