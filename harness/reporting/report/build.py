"""Makes the report of a stored run, from its ledgers to a directory that opens without a network or a server."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.model import Combination, Verdict
from harness.reporting.report import place, verdict
from harness.reporting.report.attachments import Attachments
from harness.reporting.report.categories import SCENARIO, rules
from harness.reporting.report.history import MAX_RUNS, History
from harness.reporting.report.page import offline
from harness.reporting.report.results import Teller, titles, write
from harness.reporting.report.tool import AllureFailedError, find
from harness.running.outcome import RunOutcome
from harness.running.recheck import recheck
from harness.running.store import load

MAX_ENVIRONMENTS = 32
"""More are unreadable in Allure's list; above, the combination is a parameter and a label alone."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was made: its page, the verdict's first line, how many results, and evidence without room.

    `not_kept` says why the run could not be added to the history; empty when it was.
    """

    page: Path
    headline: str
    results: int
    left_out: tuple[str, ...]
    not_kept: str = ""


def make(directory: Path, to: Path, history: Path, say: Say) -> Made:
    """Make the report of the run in `directory` at `to`, and add the run to the history.

    Raises UsageError for whatever the user has to mend, AllureFailedError and UnknownPageError when Allure fails.
    """
    cells = len(load(directory).facts["cells"])
    place.require_ours(to)
    earlier = History.read(history, directory)
    tool = find()
    say(f"judging {cells:,} trials from their ledgers ...")
    outcome, settings, stored = recheck(directory)
    with tempfile.TemporaryDirectory(prefix="harness-report-") as made_in:
        work = Path(made_in)
        results = work / "allure-results"
        results.mkdir()
        attachments = Attachments(results)
        names = titles(outcome.plan)
        count = write(Teller(outcome, settings, stored, attachments, names).results(), results, say)
        ours = verdict.pages(outcome, settings, stored, names)
        earlier.lend(work / "history.jsonl")
        (work / "allurerc.mjs").write_text(_config(outcome, ours.headline, names), encoding="utf-8")
        say(f"Allure {tool.version} writes {count:,} results ...")
        tool.generate(work / "allurerc.mjs", results, work)
        index = work / "report" / "index.html"
        if not index.is_file():
            raise AllureFailedError("allure ended well and wrote no report")
        page = offline(index.read_text(encoding="utf-8"), ours.fragment)
        facts = {"run": earlier.run, "verdict": outcome.verdict, "headline": ours.headline, "allure": tool.version}
        place.put({place.INDEX: page, place.VERDICT: ours.page}, to, facts)
        try:
            earlier.take_back(work / "history.jsonl")
            not_kept = ""
        except UsageError as error:
            not_kept = str(error)
    return Made(to / place.INDEX, ours.headline, count, tuple(attachments.left_out), not_kept)


def _config(outcome: RunOutcome, headline: str, names: Mapping[Combination, str]) -> str:
    """Return Allure's configuration, a JavaScript module: what chooses an environment can only be a function."""
    failing = {result.trial.combination for result in outcome.results if result.verdict is not Verdict.VALID}
    combinations = sorted(outcome.plan.combinations, key=lambda each: each not in failing)
    shown = combinations if 1 < len(combinations) <= MAX_ENVIRONMENTS else ()
    known = [{"id": each.id, "name": names[each], "variables": dict(each)} for each in shown]
    config = {
        "name": headline,
        "output": "./report",
        "historyPath": "./history.jsonl",
        "historyLimit": MAX_RUNS,
        "categories": rules(),
        "plugins": {
            "awesome": {"options": {"singleFile": True, "groupBy": [SCENARIO], "defaultSortBy": "status,asc"}},
            "agent": {"enabled": False},
        },
    }
    return (
        f"const known = {json.dumps(known)};\n"
        "const isOf = (id) => ({labels}) =>\n"
        "  labels.some((label) => label.name === 'combination' && label.value === id);\n"
        "const environments = Object.fromEntries(\n"
        "  known.map(({id, name, variables}) => [id, {name, variables, matcher: isOf(id)}]));\n"
        f"export default {{...{json.dumps(config)}, environments}};\n"
    )
