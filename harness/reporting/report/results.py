"""A run in Allure's terms: a test case a scenario, the combination as its parameter, a result a trial.

Above MAX_RESULTS trials a page is unreadable, so that what failed is written, and of each scenario one result for
all the rest; of a failing run that is larger still, one for each kind of failure that found no room.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.ledger import Ledger
from harness.model import Combination, Verdict, short_id
from harness.planning.plan import Plan
from harness.redact import plain
from harness.reporting import text
from harness.reporting.report.attachments import Attachments
from harness.reporting.report.categories import LABEL, SCENARIO, Category, category
from harness.reporting.report.steps import Step, lists, steps
from harness.running.outcome import RunOutcome
from harness.running.rank import as_told, foremost
from harness.running.settings import Settings
from harness.running.store import LEDGERS, StoredRun
from harness.running.trial import TrialResult

MAX_RESULTS = 5_000
MAX_STEPS = 25_000
"""Of all trials together, those that failed first: each is 0.6 kB of the report, whatever is in it. A trial that comes
when they are used up has its message, its flags and what was kept of it, and no other detail."""
MAX_FINDINGS = 100
SAID_EVERY = 1_000
MAX_TITLE = 60
STATUS = {Verdict.VALID: "passed", Verdict.INVALID: "failed", Verdict.UNKNOWN: "broken"}
THE_RUN = "the run as a whole"

Result = dict[str, Any]


@dataclass(slots=True)
class Teller:
    """Tells the trials of one run, one after the other."""

    outcome: RunOutcome
    settings: Settings
    stored: StoredRun
    attachments: Attachments
    titles: Mapping[Combination, str]
    _steps_left: int = MAX_STEPS

    def results(self) -> Iterator[Result]:
        """Yield every result of the report."""
        shown, rest = selected(self.outcome.results)
        for result in shown:
            yield self._trial(result)
        yield from (self._rest(*key, results) for key, results in rest.items())
        if self.outcome.doubts:
            yield self._doubts()

    def _trial(self, result: TrialResult) -> Result:
        trial, kind = result.trial, category(result)
        is_detailed = self._steps_left > 0
        ledger = self.stored.ledger(trial) if result.executed and is_detailed else None
        stop_ms = self._ended_ms(trial.id)
        told: Result = self._case(trial.scenario, trial.combination.id) | {
            "uuid": trial.id,
            "name": f"{trial.scenario} [{self.titles[trial.combination]}]",
            "status": STATUS[result.verdict],
            "start": stop_ms - round(result.elapsed_s * 1000),
            "stop": stop_ms,
            "parameters": [{"name": flag, "value": variant} for flag, variant in trial.combination.items()],
            "labels": self._labels(trial.scenario, kind, trial.combination),
        }
        told["attachments"] = list(self.attachments.add_evidence(self.stored.path, trial.id))
        if ledger is not None:
            self._detail(told, result, ledger)
        if kind is not None:
            told["statusDetails"] = self._message(result, kind, is_detailed=is_detailed)
        again = plain(text.again(result, self.settings), self.outcome.plan.catalogue.choices)
        # Not a block of code: Allure cuts its lines off.
        told["description"] = f"Trial `{trial.id}`, {result.verdict}. Play it again:\n\n{_code(again)}\n"
        return told

    def _detail(self, told: Result, result: TrialResult, ledger: Ledger) -> None:
        """Add the findings, steps and lists of a trial; of those after the one for which there was no room, none."""
        is_valid = result.verdict is Verdict.VALID
        if not is_valid:
            found = [
                {"check": each.check, "verdict": each.verdict, "degree": each.degree, "sentence": each.sentence}
                for each in as_told(result.findings)[:MAX_FINDINGS]
            ]
            told["attachments"].append(self.attachments.add_json("findings", found))
        shown = steps(ledger, result.findings)
        count = sum(step.count for step in shown)
        if count > self._steps_left:
            self._steps_left = 0
            return
        self._steps_left -= count
        told["steps"] = [_step(each, told["start"]) for each in shown]
        if not is_valid:
            told["attachments"].append(self.attachments.add_json("replay lists", lists(ledger)))

    def _message(self, result: TrialResult, kind: Category, *, is_detailed: bool) -> dict[str, str]:
        first = foremost(result.findings)
        degree = f", {first.degree}" if first and first.degree else ""
        more = f" (and {len(result.findings) - 1} more findings)" if len(result.findings) > 1 else ""
        message = f"{kind}\n{first.check}{degree}: {first.sentence}{more}" if first else str(kind)
        said = {"message": plain(message, self.outcome.plan.catalogue.choices)}
        if is_detailed:
            said["trace"] = plain(text.failure(result, self.settings, self.stored), self.outcome.plan.catalogue.choices)
        return said

    def _rest(self, scenario: str, kind: Category | None, results: Sequence[TrialResult]) -> Result:
        """Return one result for trials that are not shown one by one."""
        verdict = Verdict.merge(result.verdict for result in results)
        what = kind.value if kind else "valid"
        told = self._case(scenario, what) | {
            "uuid": short_id(scenario, what),
            "name": f"{scenario} [{len(results):,} trials, {what}, not shown one by one]",
            "status": STATUS[verdict],
            "parameters": [{"name": "combination", "value": f"{len(results):,} combinations"}],
            "labels": self._labels(scenario, kind, None),
        }
        if kind:
            told["statusDetails"] = {"message": f"{kind}\n{len(results):,} more trials, see `harness check`"}
        return told

    def _doubts(self) -> Result:
        """Return a result that is broken, so that a run in doubt does not look like a good one."""
        return self._case(THE_RUN, "") | {
            "uuid": short_id(THE_RUN),
            "name": f"{THE_RUN} is not proved",
            "status": "broken",
            "labels": self._labels(THE_RUN, Category.NO_VERDICT, None),
            "statusDetails": {"message": plain("\n".join([Category.NO_VERDICT, *self.outcome.doubts]))},
        }

    def _case(self, scenario: str, variation: str) -> Result:
        """Return what makes a result the same test as in earlier runs: same target, driver and planted flaws."""
        where = (self.settings.target, self.settings.driver, *self.settings.flaws)
        return {
            "fullName": scenario,
            "testCaseId": short_id(scenario, *where),
            "historyId": short_id(scenario, variation, *where),
            "stage": "finished",
        }

    def _labels(self, scenario: str, kind: Category | None, combination: Combination | None) -> list[dict[str, str]]:
        labels = [(SCENARIO, scenario)]
        labels += [(LABEL, kind.value)] if kind else []
        labels += [("severity", "blocker")] if kind is Category.FOREIGN_MEDIA else []
        if combination:
            labels.append(("combination", combination.id))
        return [{"name": name, "value": value} for name, value in labels]

    def _ended_ms(self, trial: str) -> int:
        file = self.stored.path / LEDGERS / f"{trial}.jsonl"
        return round((file if file.exists() else self.stored.path).stat().st_mtime * 1000)


def titles(plan: Plan) -> dict[Combination, str]:
    """Return a name for each combination of a plan: short enough for a line, the same in all scenarios, in order."""
    count = len(plan.combinations)
    digits = len(str(count))
    found = {}
    for number, combination in enumerate(plan.combinations, 1):
        # With zeros, for Allure sorts names as text.
        numbered = f"combination {number:0{digits}} of {count}"
        label = combination.label if len(combination.label) <= MAX_TITLE else numbered
        found[combination] = "baseline" if combination == plan.catalogue.production else label
    return found


def selected(
    results: Sequence[TrialResult], limit: int = MAX_RESULTS
) -> tuple[list[TrialResult], dict[tuple[str, Category | None], list[TrialResult]]]:
    """Return the results to show one by one, the gravest first, and the rest by scenario and category."""
    order = [*Category, None]
    ranked = sorted(results, key=lambda result: order.index(category(result)))
    if len(ranked) <= limit:
        return ranked, {}
    failed = [result for result in ranked if category(result) is not None][:limit]
    told = {id(result) for result in failed}
    rest: dict[tuple[str, Category | None], list[TrialResult]] = defaultdict(list)
    for result in ranked:
        if id(result) not in told:
            rest[result.trial.scenario, category(result)].append(result)
    return failed, rest


def _code(command: str) -> str:
    """Return a command as Markdown that stands in the line of a text, whatever accents are in it."""
    fence = "`" * (max(map(len, re.findall("`+", command)), default=0) + 1)
    return f"{fence} {command} {fence}"


def _step(step: Step, start_ms: int) -> Result:
    told: Result = {
        "name": plain(step.name),
        "status": step.status,
        "start": start_ms + round(step.start_s * 1000),
        "stop": start_ms + round(step.stop_s * 1000),
        "steps": [_step(below, start_ms) for below in step.steps],
    }
    return told | ({"statusDetails": {"message": plain(step.message)}} if step.message else {})


def write(results: Iterator[Result], directory: Path, say: Callable[[str], None]) -> int:
    """Write the results as Allure reads them; return how many there are."""
    count = 0
    for count, result in enumerate(results, 1):
        (directory / f"{count:06d}-result.json").write_text(json.dumps(result), encoding="utf-8")
        if count % SAID_EVERY == 0:
            say(f"{count:,} results told ...")
    return count
