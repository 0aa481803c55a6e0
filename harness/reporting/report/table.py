"""The table of every trial, a row a combination, the gravest first; and the way from there to a trial's own page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from harness.model import Combination, Verdict
from harness.running.outcome import RunOutcome
from harness.running.trial import TrialResult

MAX_ROWS = 100
"""Combinations in the table."""
CHANGES_SHOWN = 3
MARKS = {Verdict.VALID: "✓", Verdict.INVALID: "✗", Verdict.UNKNOWN: "?"}
NOT_EXECUTED = "-"


def anchor(trial: str) -> str:
    """Return the address within the report of the result whose uuid this is, as Allure 3 makes it."""
    return "#" + hashlib.md5(trial.encode(), usedforsecurity=False).hexdigest()


TO_ALLURE = "document.getElementById('app').scrollIntoView()"
"""Allure shows the trial that an address names, and leaves the reader above it, where the link was."""


@dataclass(frozen=True, slots=True)
class Links:
    """How words lead to a trial: within the report they do, in a page alone they stay words."""

    is_linked: bool

    def to(self, trial: str, words: str) -> str:
        """Return the words, as a link if there is where to go."""
        if not self.is_linked:
            return escape(words)
        return f'<a href="{anchor(trial)}" onclick="{TO_ALLURE}">{escape(words)}</a>'


@dataclass(frozen=True, slots=True)
class Table:
    """The trials of a run; `titles` are the names of its combinations."""

    outcome: RunOutcome
    titles: Mapping[Combination, str]
    links: Links

    @property
    def title(self) -> str:
        """What is in the table, in words."""
        count = len(self.outcome.plan.combinations)
        if count <= MAX_ROWS:
            return "every trial"
        return f"the trials of {MAX_ROWS} of {count:,} combinations, none of the others graver"

    def html(self) -> Iterator[str]:
        """Yield the table, those that fail first, otherwise in the plan's order."""
        cells = {(result.trial.scenario, result.trial.combination): result for result in self.outcome.results}
        scenarios = self.outcome.plan.scenarios
        gravity = list(Verdict)

        def worst(combination: Combination) -> int:
            found = (cells.get((scenario, combination)) for scenario in scenarios)
            return -max(gravity.index(result.verdict) for result in found if result is not None)

        yield "<table><thead><tr><th>combination</th>"
        yield "".join(f"<th>{escape(scenario.replace('_', ' '))}</th>" for scenario in scenarios)
        yield "</tr></thead><tbody>"
        for combination in sorted(self.outcome.plan.combinations, key=worst)[:MAX_ROWS]:
            yield f'<tr><th title="{escape(str(combination))}">{self._row_name(combination)}</th>'
            yield from (self._cell(cells.get((scenario, combination))) for scenario in scenarios)
            yield "</tr>"
        yield "</tbody></table>"

    @property
    def _causes(self) -> frozenset[str]:
        """The flags that stand in a condition under which something fails."""
        conditions = (condition for scenario in self.outcome.scenarios for condition in scenario.conditions)
        return frozenset(flag for condition in conditions for flag, _ in condition.literals)

    def _row_name(self, combination: Combination) -> str:
        """Return the combination's name, and below it what it changes, a cause first, unless the name says so."""
        title = self.titles[combination]
        baseline = self.outcome.plan.catalogue.production
        changed = [
            f"{flag}={value}"
            for flag, value in sorted(combination.items(), key=lambda pair: pair[0] not in self._causes)
            if value != baseline.get(flag)
        ]
        more = " …" if len(changed) > CHANGES_SHOWN else ""
        words = "" if title == combination.label else " ".join(changed[:CHANGES_SHOWN]) + more
        return f"<b>{escape(title)}</b>" + (f" <span>{escape(words)}</span>" if words else "")

    def _cell(self, result: TrialResult | None) -> str:
        if result is None:
            return "<td></td>"
        mark = MARKS[result.verdict] if result.executed else NOT_EXECUTED
        words = result.verdict if result.executed else "not executed"
        shown = self.links.to(result.trial.id, mark)
        return f'<td class="harness-{result.verdict}" title="{words}">{shown}</td>'
