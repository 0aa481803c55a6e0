"""Our verdict as HTML, for the top of the report and for a page of its own: may we ship, and with which flags?

Its words are those of `harness check`. It needs no script and no other file.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from harness.model import Combination, Verdict
from harness.planning.narrow import describe
from harness.redact import plain
from harness.reporting import text
from harness.reporting.report.attachments import MAX_FILE_BYTES
from harness.reporting.report.categories import category
from harness.running.outcome import RunOutcome, ScenarioOutcome
from harness.running.settings import Settings
from harness.running.store import EVIDENCE, StoredRun
from harness.running.trial import TrialResult

MAX_ROWS = 40
"""Combinations in the table of all trials."""
MAX_SHOWN = 12
"""Scenarios with their causes; the table has all."""
CONDITIONS_SHOWN = 2
MARKS = {Verdict.VALID: "✓", Verdict.INVALID: "✗", Verdict.UNKNOWN: "?"}
NOT_EXECUTED = "-"
ANSWERS = frozenset({"ship", "hypothesis"})
"""How the lines begin that say under which flags one may ship, or perhaps may."""
STYLE = files("harness.reporting.report").joinpath("verdict.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Pages:
    """The verdict: its first line, as a part of another page, and as a page."""

    headline: str
    fragment: str
    page: str


def pages(outcome: RunOutcome, settings: Settings, stored: StoredRun, titles: Mapping[Combination, str]) -> Pages:
    """Return the verdict of a run; `titles` are the names of its combinations."""
    said = plain(text.verdict(outcome, settings, stored))
    head, _, _ = said.partition("\n\n")
    headline, *more = head.splitlines()
    linked = "".join(_body(headline, more, said, outcome, stored, titles, is_linked=True))
    alone = "".join(_body(headline, more, said, outcome, stored, titles, is_linked=False))
    style = f"<style>{STYLE}</style>"
    return Pages(
        headline,
        f"{style}{linked}",
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(headline)}</title>{style}</head>'
        f'<body class="harness-alone">{alone}</body></html>\n',
    )


def anchor(trial: str) -> str:
    """Return the address within the report of the result whose uuid this is, as Allure 3 makes it."""
    return "#" + hashlib.md5(trial.encode(), usedforsecurity=False).hexdigest()


def _body(
    headline: str,
    more: list[str],
    said: str,
    outcome: RunOutcome,
    stored: StoredRun,
    titles: Mapping[Combination, str],
    *,
    is_linked: bool,
) -> Iterator[str]:
    yield f'<section class="harness-verdict harness-{outcome.verdict}"><h1>{escape(headline)}</h1><div>'
    yield "".join(f"<p>{_emphasised(line.strip())}</p>" for line in more)
    yield "".join(f'<p class="harness-doubt">not proved: {escape(plain(doubt))}</p>' for doubt in outcome.doubts)
    failing = [scenario for scenario in outcome.scenarios if scenario.verdict is not Verdict.VALID]
    if failing:
        yield '<div class="harness-causes"><ul>'
        yield from _causes(failing, outcome, is_linked=is_linked)
        yield f"</ul>{_picture(failing, stored)}</div>"
    if outcome.control and outcome.control.found:
        yield f"<p>control: {escape(plain(outcome.control.sentence))}</p>"
    yield "<details><summary>every trial</summary>"
    yield from _table(outcome, titles, is_linked=is_linked)
    yield "</details><details><summary>the whole verdict, with evidence</summary>"
    yield f"<pre>{escape(said)}</pre></details></div></section>"


def _emphasised(line: str) -> str:
    """Return a line of the verdict, its first word strong where it says whether one may ship."""
    word, colon, rest = line.partition(": ")
    return f"<strong>{escape(word)}:</strong> {escape(rest)}" if colon and word in ANSWERS else escape(line)


def _causes(failing: Sequence[ScenarioOutcome], outcome: RunOutcome, *, is_linked: bool) -> Iterator[str]:
    """Yield the conditions under which something fails, each once, with the scenarios that it fails."""
    by_cause: dict[tuple[str, ...], list[ScenarioOutcome]] = {}
    for scenario in failing[:MAX_SHOWN]:
        by_cause.setdefault(_conditions(scenario, outcome), []).append(scenario)
    for cause, scenarios in by_cause.items():
        worst = Verdict.merge(scenario.verdict for scenario in scenarios)
        yield f'<li class="harness-{worst}">' + "".join(f"<p>{_bold(each)}</p>" for each in cause)
        yield "".join(f"<p>{_case(each, is_linked=is_linked)}</p>" for each in scenarios) + "</li>"
    if len(failing) > MAX_SHOWN:
        yield f"<li>... and {len(failing) - MAX_SHOWN} more scenarios</li>"


def _bold(condition: str) -> str:
    """Return a condition, all of it strong but the remark on how sure it is."""
    when, _, remark = condition.partition("   (")
    return f"<b>{escape(when)}</b>" + (f" <span>({escape(remark)}</span>" if remark else "")


def _conditions(scenario: ScenarioOutcome, outcome: RunOutcome) -> tuple[str, ...]:
    return tuple(
        describe(condition, outcome.plan.catalogue, "leak" if scenario.leaks_under(condition) else "fail")
        for condition in scenario.conditions[:CONDITIONS_SHOWN]
    )


def _case(scenario: ScenarioOutcome, *, is_linked: bool) -> str:
    counts = scenario.counts
    tally = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]) or "not executed"
    said = f"{escape(scenario.name)} <span>({tally})</span>"
    worst = scenario.worst
    if worst is None or not worst.findings:
        return said
    sentence = escape(plain(worst.findings[0].sentence))
    look = f' <a href="{anchor(worst.trial.id)}">trial {worst.trial.id}</a>' if is_linked else ""
    return f"{said}<br><em>{escape(category(worst) or '')}</em>: {sentence}{look}"


def _picture(scenarios: list[ScenarioOutcome], stored: StoredRun) -> str:
    """Return a frame of the first leak of which one was kept."""
    for result in (result for scenario in scenarios for result in scenario.results):
        file = stored.path / EVIDENCE / result.trial.id / "leak.png"
        if file.is_file() and file.stat().st_size <= MAX_FILE_BYTES:
            return _figure(file, result)
    return ""


def _figure(file: Path, result: TrialResult) -> str:
    data = base64.b64encode(file.read_bytes()).decode()
    leak = next((each for each in result.findings if each.degree == "proved"), None)
    words = f"what {leak.viewer} was shown: media of {leak.owner}" if leak else "what leaked"
    return (
        f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(words)}, in trial {result.trial.id}</figcaption></figure>"
    )


def _table(outcome: RunOutcome, titles: Mapping[Combination, str], *, is_linked: bool) -> Iterator[str]:
    """Yield the table of trials, a row a combination, those that fail first."""
    cells = {(result.trial.scenario, result.trial.combination): result for result in outcome.results}
    scenarios = outcome.plan.scenarios
    gravity = list(Verdict)

    def worst(combination: Combination) -> int:
        found = (cells.get((scenario, combination)) for scenario in scenarios)
        return -max(gravity.index(result.verdict) for result in found if result is not None)

    rows = sorted(outcome.plan.combinations, key=worst)
    yield "<table><thead><tr><th>combination</th>"
    yield "".join(f"<th>{escape(scenario.replace('_', ' '))}</th>" for scenario in scenarios)
    yield "</tr></thead><tbody>"
    for combination in rows[:MAX_ROWS]:
        yield f'<tr><th title="{escape(str(combination))}">{escape(titles[combination])}</th>'
        yield from (_cell(cells.get((scenario, combination)), is_linked=is_linked) for scenario in scenarios)
        yield "</tr>"
    yield "</tbody></table>"
    if len(rows) > MAX_ROWS:
        yield f"<p>... and {len(rows) - MAX_ROWS:,} more combinations, none of them graver</p>"


def _cell(result: TrialResult | None, *, is_linked: bool) -> str:
    if result is None:
        return "<td></td>"
    mark = MARKS[result.verdict] if result.executed else NOT_EXECUTED
    words = result.verdict if result.executed else "not executed"
    shown = f'<a href="{anchor(result.trial.id)}">{mark}</a>' if is_linked else mark
    return f'<td class="harness-{result.verdict}" title="{words}">{shown}</td>'
