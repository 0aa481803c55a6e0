"""`harness sweep`: from what the command line says to the exit code."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import hypothesis.configuration

from harness.duration import read_duration
from harness.errors import UsageError
from harness.planning import catalogue as catalogues
from harness.planning.exhaustive import count
from harness.planning.held import for_people
from harness.planning.plan import Claim, Group, groups, plan_of
from harness.reporting.text import command_words
from harness.running.deployment import require_startable
from harness.running.settings import Settings
from harness.sweeping import directory, show
from harness.sweeping.cast import STORY
from harness.sweeping.describing import document as documents
from harness.sweeping.outcome import Outcome
from harness.sweeping.run import Orders, Run
from harness.sweeping.wire.transfer import shown

LEAST_BUDGET_S, MOST_BUDGET_S = 1.0, 3600.0


def seconds(budget: str) -> float:
    """Return a budget such as `90s` or `2m` in seconds; raise UsageError for none, or one that is out of bounds."""
    return read_duration("--budget", budget, LEAST_BUDGET_S, MOST_BUDGET_S)


def sweep(orders: Orders, report: Callable[[str], None]) -> Outcome:
    """Sweep, write into the settings' `out`, and return the outcome.

    Raises UsageError, before anything is touched, for a document, a target or flags with which no sweep can begin;
    FlagError when the flags cannot be proved.
    """
    settings = orders.settings
    if settings.seed < 0:
        raise UsageError(f"--seed {settings.seed}: a seed is 0 or more")
    if not 0 < orders.reach <= 1:
        raise UsageError(f"--reach {100 * orders.reach:g}: give a share from 1 to 100 percent")
    group = _group(settings)
    directory.require_ours(settings.out)
    document = documents.read(orders.openapi) if orders.openapi else None
    require_startable(settings)
    with directory.opened(settings.out) as out, tempfile.TemporaryDirectory(prefix="harness-sweep-") as home:
        # Hypothesis keeps what it learns of characters and constants in a folder, by default the user's own.
        hypothesis.configuration.set_hypothesis_home_dir(home)
        run = Run(orders, group, document, report)
        try:
            asyncio.run(run.run())
        finally:
            hypothesis.configuration.set_hypothesis_home_dir(None)
        outcome = replace(run.outcome(), again=again(orders), report=str(out / show.REPORT))
        try:
            show.write(outcome, out)
            directory.keep_facts(out, run.facts)
        except OSError as error:  # what was found is told all the same
            return replace(outcome, doubts=(*outcome.doubts, f"not written in {out}: {error.strerror}"))
        return outcome


def again(orders: Orders) -> str:
    """Return the command that makes the same sweep, a password in an address left out."""
    usual, settings = Orders(Settings()), orders.settings
    words = ["harness", "sweep", *chain(*command_words(settings))]
    words += ["--seed", str(settings.seed)] if settings.seed != usual.settings.seed else []
    words += ["--openapi", shown(orders.openapi)] if orders.openapi else []
    words += ["--budget", f"{orders.budget_s:g}s"] if orders.budget_s != usual.budget_s else []
    words += ["--reach", f"{100 * orders.reach:g}"] if orders.reach != usual.reach else []
    words += [word for kind in orders.public for word in ("--public", kind)]
    return shlex.join([*words, "--out", str(settings.out)])


def _group(settings: Settings) -> Group:
    """Return the one combination: releases on, as `harness serve` has it, and what was chosen."""
    catalogue = catalogues.load(settings.flags)
    combination = for_people(catalogue, settings.chosen).baseline
    plan = plan_of(catalogue, (combination,), Claim("selection", count(catalogue)), [STORY], settings.seed)
    return groups(plan)[0]
