"""`harness explore`: from what the command line says to the exit code."""

from __future__ import annotations

import asyncio
import shlex
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import uvloop

from harness.duration import read_duration
from harness.errors import FlagError, UsageError
from harness.explore.explorer import Explorer
from harness.explore.render import Words, source_of
from harness.explore.save import save
from harness.explore.show import Display, about
from harness.explore.tally import Leak
from harness.interruption import on_interrupt
from harness.model import Catalogue
from harness.planning import catalogue as catalogues
from harness.planning.held import held, held_at_baseline, read_choices
from harness.reporting.text import AGAIN, command_words
from harness.running.deployment import require_startable
from harness.running.directory import require_writable
from harness.running.outcome import ExitCode
from harness.running.settings import DEFAULT_OUT, Settings

MAX_SEED = 2**32
LEAST_BUDGET_S, MOST_BUDGET_S = 5.0, 86_400.0
"""In less no deployment has started and played its first trial."""


def explore(settings: Settings, budget: str, directory: Path | None) -> ExitCode:
    """Explore for the budget; print what came of it, and keep the smallest story that failed in the directory.

    Raises UsageError, before anything runs, for what is no budget, seed, target, flaw or flag.
    """
    # The command's own start counts: it was at least as long ago as it has computed since.
    began_s = time.monotonic() - time.process_time()
    budget_s = read_duration("--budget", budget, LEAST_BUDGET_S, MOST_BUDGET_S)
    if not 0 <= settings.seed < MAX_SEED:
        raise UsageError(f"--seed {settings.seed}: a seed is 0 or more, and less than {MAX_SEED:,}")
    catalogue = _catalogue(settings)
    require_startable(settings)
    if directory:
        require_writable(directory, "--save")
    display = Display()
    explorer = Explorer(settings, catalogue, began_s, budget_s, display)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_interrupted(explorer))
    except FlagError as error:
        explorer.doubts.append(f"the flags could not be proved to be in force: {error}")
    except Exception as error:
        if explorer.leak is None:
            raise
        # What was found is told all the same, and how the rest ended.
        explorer.doubts.append(f"the harness failed after it was found: {type(error).__name__}: {error}")
    finally:
        display.stop()
    file, saved = "FILE", "not saved: give --save DIR to keep it as a scenario file"
    if explorer.leak and directory:
        try:
            file = str(_save(directory, settings, explorer, budget))
            saved = f"saved: {file}"
        except OSError as error:  # what was found is told all the same
            saved = f"not saved in {directory}: {error.strerror}"
    code = exit_code(explorer)
    display.conclude(explorer, code, saved, _command(settings, explorer.leak, catalogue, file))
    return code


def exit_code(explorer: Explorer) -> ExitCode:
    """Return what the process should end with: a leak beats no verdict; nothing valid is no verdict, too."""
    if explorer.interrupted:
        return ExitCode.INTERRUPTED
    if explorer.leak:
        return ExitCode.INVALID
    proved = explorer.tally.valid and explorer.controls and all(control.found for control in explorer.controls)
    return ExitCode.VALID if proved and not explorer.unknown and not explorer.doubts else ExitCode.UNKNOWN


def _catalogue(settings: Settings) -> Catalogue:
    """Return the catalogue with what is held, by --set and by a flag server that runs already, and its own baseline.

    From that baseline a story's flags are told, so that what was held is told too.
    """
    catalogue = catalogues.load(settings.flags)
    fixed = read_choices(catalogue, settings.chosen)
    if settings.flag_server:
        catalogue, _ = held_at_baseline(catalogue)
    return replace(held(catalogue, fixed), flags=catalogue.flags) if fixed else catalogue


async def _until_interrupted(explorer: Explorer) -> None:
    """Explore until it is done, or SIGINT or SIGTERM cuts it short."""
    exploring = asyncio.ensure_future(explorer.run())

    def interrupt() -> None:
        explorer.interrupted = True
        exploring.cancel()

    with on_interrupt(interrupt):
        try:
            await exploring
        except asyncio.CancelledError:
            if not explorer.interrupted:
                raise


def _save(directory: Path, settings: Settings, explorer: Explorer, budget: str) -> Path:
    leak, catalogue = explorer.leak, explorer.catalogue
    if leak is None:
        raise ValueError("there is no leak to save")
    program = leak.smallest.program
    finding = leak.smallest.reason or leak.smallest.result.findings[0]
    flags = tuple(flag for flag, _ in program.changed(catalogue))
    stem = f"explored_{finding.check.replace('-', '_')}_{program.digest}"
    sentence = f"{finding.check.replace('-', ' ').capitalize()}: {finding.sentence}."
    said = "; ".join(about(leak, catalogue))
    options = (("--seed", str(settings.seed)), ("--budget", budget), *command_words(settings))
    command = shlex.join(("harness", "explore", *chain.from_iterable(options)))
    origin = f"Found by `{command}`: {said}. Again, under few combinations:"

    def text(name: str, path: Path) -> str:
        words = Words(sentence, (origin,), _command(settings, leak, catalogue, str(path)))
        return source_of(program, name, flags, words)

    return save(directory, stem, text, leak.smallest.ledger)


def _command(settings: Settings, leak: Leak | None, catalogue: Catalogue, file: str) -> tuple[str, ...]:
    """Return the command that plays a saved leak again, in parts: an option with its value is one."""
    if leak is None:
        return ()
    chosen = tuple(f"{flag}={variant}" for flag, variant in leak.smallest.program.changed(catalogue))
    # A cover begins with its baseline, here the combination that failed: few others need be played beside it.
    options = (*command_words(replace(settings, chosen=chosen, coverage="t-way:1")), ("--out", f"{DEFAULT_OUT}{AGAIN}"))
    return tuple(map(shlex.join, (("harness", "run", file), *options)))
