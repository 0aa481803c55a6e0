"""Our verdict as HTML, for the top of the report and for a page of its own: may we ship, and with which flags?

Its words are those of `harness check`. It needs no script and no other file.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib.resources import files
from pathlib import Path

from harness.model import Combination, Verdict
from harness.planning.narrow import describe
from harness.redact import plain
from harness.reporting import text
from harness.reporting.report.attachments import MAX_FILE_BYTES
from harness.reporting.report.categories import category
from harness.reporting.report.table import Links, Table
from harness.running.outcome import RunOutcome, ScenarioOutcome
from harness.running.rank import as_told, foremost, leaks_alone
from harness.running.settings import Settings
from harness.running.store import EVIDENCE, StoredRun
from harness.running.trial import TrialResult

MAX_SHOWN = 12
"""Scenarios with their causes; the table has all."""
CONDITIONS_SHOWN = 2
ANSWERS = frozenset({"ship", "hypothesis"})
"""How the lines begin that say under which flags one may ship, or perhaps may; each has a colour of its own."""
STYLE = files("harness.reporting.report").joinpath("verdict.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Pages:
    """The verdict: its first line, as a part of another page, and as a page."""

    headline: str
    fragment: str
    page: str


def pages(outcome: RunOutcome, settings: Settings, stored: StoredRun, titles: Mapping[Combination, str]) -> Pages:
    """Return the verdict of a run; `titles` are the names of its combinations."""
    said = plain(text.verdict(outcome, settings, stored), outcome.plan.catalogue.choices)
    headline, linked = said.split("\n", 1)[0], _Body(outcome, settings, stored, titles, said, Links(is_linked=True))
    alone = replace(linked, links=Links(is_linked=False))
    style = f"<style>{STYLE}</style>"
    return Pages(
        headline,
        f"{style}{linked.html()}",
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(headline)}</title>{style}</head>'
        f'<body class="harness-alone">{alone.html()}</body></html>\n',
    )


@dataclass(frozen=True, slots=True)
class _Body:
    """The verdict of a run as HTML; `said` is its text, of which the first lines stand first here too."""

    outcome: RunOutcome
    settings: Settings
    stored: StoredRun
    titles: Mapping[Combination, str]
    said: str
    links: Links

    def html(self) -> str:
        """Return the whole, the most important first."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        headline, *more = self.said.partition("\n\n")[0].split("\n")
        outcome = self.outcome
        yield f'<section class="harness-verdict harness-{outcome.verdict}"><h1>{escape(headline)}</h1><div>'
        yield "".join(f"<p>{_emphasised(line.strip())}</p>" for line in more)
        yield "".join(f'<p class="harness-doubt">not proved: {escape(plain(doubt))}</p>' for doubt in outcome.doubts)
        failing = [scenario for scenario in outcome.told if scenario.verdict is not Verdict.VALID]
        if failing:
            yield '<div class="harness-causes"><ul>'
            yield from self._causes(failing)
            yield f"</ul>{self._picture(failing)}</div>"
        if outcome.control and outcome.control.found:
            yield f"<p>control: {escape(plain(outcome.control.sentence))}</p>"
        table = Table(outcome, self.titles, self.links)
        yield f"<details><summary>{table.title}</summary>"
        yield from table.html()
        yield "</details><details><summary>the whole verdict, with evidence</summary>"
        yield f"<pre>{escape(self.said)}</pre></details></div></section>"

    def _causes(self, failing: Sequence[ScenarioOutcome]) -> Iterator[str]:
        """Yield the conditions under which something fails, each once, with the scenarios that it fails."""
        by_cause: dict[tuple[str, ...], list[ScenarioOutcome]] = {}
        for scenario in failing[:MAX_SHOWN]:
            by_cause.setdefault(self._conditions(scenario), []).append(scenario)
        for cause, scenarios in by_cause.items():
            worst = Verdict.merge(scenario.verdict for scenario in scenarios)
            yield f'<li class="harness-{worst}">' + "".join(f"<p>{_bold(each)}</p>" for each in cause)
            yield "".join(f"<p>{self._case(each)}</p>" for each in scenarios) + "</li>"
        if len(failing) > MAX_SHOWN:
            yield f"<li>... and {len(failing) - MAX_SHOWN} more scenarios</li>"

    def _conditions(self, scenario: ScenarioOutcome) -> tuple[str, ...]:
        return tuple(
            describe(condition, self.outcome.plan.catalogue, "leak" if scenario.leaks_under(condition) else "fail")
            for condition in scenario.conditions[:CONDITIONS_SHOWN]
        )

    def _case(self, scenario: ScenarioOutcome) -> str:
        counts = scenario.counts
        tally = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]) or "not executed"
        said = f"{escape(scenario.name)} <span>({tally})</span>"
        worst = scenario.worst
        first = foremost(worst.findings) if worst else None
        if worst is None or first is None:
            return said
        sentence = escape(plain(first.sentence))
        look = f" {self._trial(worst)}" if self.links.is_linked else ""
        return f"{said}<br><em>{escape(category(worst) or '')}</em>: {sentence}{look}{self._again(worst)}"

    def _again(self, worst: TrialResult) -> str:
        """Return the command that plays a trial again, with what it may not show; of one that never ran, nothing."""
        if not worst.executed:
            return ""
        command = plain(text.again(worst, self.settings), self.outcome.plan.catalogue.choices)
        remark = f" <span>({text.NEEDS_OTHERS})</span>" if worst.needs_others else ""
        return f"; again{remark}:{_code(command)}"

    def _picture(self, failing: Sequence[ScenarioOutcome]) -> str:
        """Return a frame of a leak of which one was kept, of a trial that is named here, otherwise of any.

        One that its trial shows alone comes first: the command that stands beside it shows it again.
        """
        named = [scenario.worst for scenario in failing[:MAX_SHOWN] if scenario.worst]
        kept = []
        for result in [*named, *(result for scenario in failing for result in scenario.results)]:
            file = self.stored.path / EVIDENCE / result.trial.id / "leak.png"
            if file.is_file() and file.stat().st_size <= MAX_FILE_BYTES:
                kept.append((result, file))
        first = min(kept, key=lambda pair: not leaks_alone(pair[0].findings), default=None)
        return self._figure(*first) if first else ""

    def _figure(self, result: TrialResult, file: Path) -> str:
        data = base64.b64encode(file.read_bytes()).decode()
        beside = file.with_suffix(".txt")
        sentence = beside.read_text(encoding="utf-8", errors="replace").strip() if beside.is_file() else ""
        proved = [each for each in as_told(result.findings) if each.degree == "proved"]
        leak = next((each for each in proved if each.sentence == sentence), next(iter(proved), None))
        words = f"what {leak.viewer} was shown: media of {leak.owner}" if leak else "what leaked"
        return (
            f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(words)}, in {self._trial(result)}</figcaption></figure>"
        )

    def _trial(self, result: TrialResult) -> str:
        return self.links.to(result.trial.id, f"trial {result.trial.id}")


def _emphasised(line: str) -> str:
    """Return a line of the verdict, its first word strong where it says whether one may ship, a command as code."""
    word, colon, rest = line.partition(": ")
    if word == text.RUN_AGAIN:
        return f"{escape(word)}:{_code(rest)}"
    if not colon or word not in ANSWERS:
        return escape(line)
    return f'<strong class="harness-{word}">{escape(word)}:</strong> {escape(rest)}'


def _code(command: str) -> str:
    """Return a command to copy, each word in one piece: a line must not end in the hyphen of an option."""
    return "<code>" + " ".join(f"<i>{escape(word)}</i>" for word in command.split(" ")) + "</code>"


def _bold(condition: str) -> str:
    """Return a condition, all of it strong but the remark on how sure it is."""
    when, _, remark = condition.partition("   (")
    return f"<b>{escape(when)}</b>" + (f" <span>({escape(remark)}</span>" if remark else "")
