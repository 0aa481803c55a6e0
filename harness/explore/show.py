"""What `harness explore` shows: a line that moves on a terminal, plain lines elsewhere, and what came of it."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator

from rich.status import Status

from harness.explore.explorer import Explorer
from harness.explore.play import Played
from harness.explore.program import Program
from harness.explore.render import story_of
from harness.explore.tally import Leak, Tally
from harness.model import Catalogue, Verdict
from harness.planning.exhaustive import count
from harness.planning.plan import Literals
from harness.planning.render import several
from harness.reporting.console import COLOURS, screen
from harness.running.outcome import ExitCode

A_LINE_EVERY_S = 10.0
UNKNOWN_SHOWN = 3


class Display:
    """Watches an exploration on behalf of a person."""

    def __init__(self) -> None:
        self._screen = screen()
        self._status = Status("", console=self._screen)
        self._said_s = time.monotonic()
        if self._screen.is_terminal:
            self._status.start()

    def phase(self, text: str) -> None:
        """Say what is being prepared."""
        self._screen.print(f"[dim]{text} ...[/dim]")

    def tried(self, tally: Tally) -> None:
        """Say how far it is: on a terminal each time, elsewhere now and then."""
        self._move(f"exploring: {several(tally.trials, 'trial')}, {several(len(tally.stories), 'story')}")

    def found(self, played: Played, tally: Tally) -> None:
        """Say that something failed."""
        reason = played.reason
        what = reason.sentence if reason else played.result.findings[0].sentence
        self._say(f"found in trial {tally.trials}: {what}", style="red")

    def shrunk(self, program: Program, plays: int) -> None:
        """Say how small it has become."""
        self._move(f"shrinking: {several(len(program.steps), 'step')}, after {several(plays, 'trial')}")

    def conclude(self, explorer: Explorer, code: ExitCode, saved: str, command: tuple[str, ...]) -> None:
        """Print what came of it, its first line in the verdict's colour."""
        self.stop()
        first, *rest = conclusion(explorer, code, saved, command)
        verdict = {ExitCode.VALID: Verdict.VALID, ExitCode.INVALID: Verdict.INVALID}.get(code, Verdict.UNKNOWN)
        self._screen.print()
        self._screen.print(first, style=f"bold {COLOURS[verdict]}", markup=False)
        self._screen.print("\n".join(rest), markup=False)

    def stop(self) -> None:
        """Give the terminal back, whatever happened."""
        self._status.stop()

    def _move(self, text: str) -> None:
        if self._screen.is_terminal:
            self._status.update(text)
        elif time.monotonic() - self._said_s >= A_LINE_EVERY_S:
            self._say(text)

    def _say(self, text: str, style: str = "") -> None:
        self._said_s = time.monotonic()
        self._screen.print(text, style=style, markup=False)


def conclusion(explorer: Explorer, code: ExitCode, saved: str, command: tuple[str, ...]) -> Iterator[str]:
    """Yield what came of an exploration, the most important line first; `saved` says where its leak was kept."""
    leak, tally = explorer.leak, explorer.tally
    if leak:
        yield "INVALID: do not ship"
        yield from _leak(leak, explorer.catalogue)
        yield f"  {saved}"
        yield from ([f"  again: {' '.join(command)}"] if command else [])
    elif code == ExitCode.VALID:
        yield f"VALID in what was tried: nothing was found in {several(tally.trials, 'trial')}"
    elif code == ExitCode.INTERRUPTED:
        yield "interrupted: nothing had been found"
    else:
        yield "UNKNOWN: nothing is proved, do not ship on this"
    yield ""
    yield from _tried(explorer)
    for played in explorer.unknown[:UNKNOWN_SHOWN]:
        yield f"no verdict, also when told again alone: {played.result.findings[0].sentence}"
        if not leak:
            yield f"  under {_flags(played.program.changed(explorer.catalogue))}:"
            yield textwrap.indent(story_of(played.program), "    ").rstrip()
    if len(explorer.unknown) > UNKNOWN_SHOWN:
        yield f"... and {several(len(explorer.unknown) - UNKNOWN_SHOWN, 'more trial')} without a verdict"
    yield from (f"not proved: {doubt}" for doubt in explorer.doubts)
    yield from (f"control: {control.sentence}" for control in explorer.controls[:1] if control.found)
    elapsed_s = time.monotonic() - explorer.began_s
    yield f"{explorer.requests:,} requests in {elapsed_s:.1f} s; seed {explorer.settings.seed}"


def about(leak: Leak, catalogue: Catalogue) -> Iterator[str]:
    """Yield, a sentence each, what is known of a leak beside its finding."""
    program = leak.smallest.program
    steps, actors = several(len(program.steps), "step"), several(len(program.cast), "actor")
    yield f"{steps}, {actors}, with {_flags(program.changed(catalogue))}"
    found = f"found in trial {leak.trial} after {leak.at_s:.1f} s"
    if not leak.alone:
        yield f"{found}, but not when it was told alone: it may need others at the same moment, or their media"
        return
    yield f"{found}; shrunk in {several(leak.plays, 'trial')}, {leak.shrinking_s:.1f} s"
    if not leak.is_smallest:
        yield "shrinking was cut short: it may not be the smallest"
    if leak.fresh:
        yield "seen again on a fresh deployment, by these actors alone"
    elif leak.fresh is False:
        yield "not seen on a fresh deployment: it may need what earlier trials had left behind"
    elif leak.hindrance:
        yield f"no fresh deployment could be looked at: {leak.hindrance}"
    else:
        yield "there was no time to look whether a fresh deployment shows it, too"


def _leak(leak: Leak, catalogue: Catalogue) -> Iterator[str]:
    finding = leak.smallest.reason or leak.smallest.result.findings[0]
    degree = f", {finding.degree}" if finding.degree else ""
    yield f"  {finding.check}{degree}: {finding.sentence}"
    yield from (f"  {line}" for line in about(leak, catalogue))
    yield ""
    yield textwrap.indent(story_of(leak.smallest.program), "    ").rstrip()
    yield ""


def _tried(explorer: Explorer) -> Iterator[str]:
    tally, catalogue = explorer.tally, explorer.catalogue
    valid = count(catalogue)
    yield (
        f"tried: {several(tally.trials, 'trial')} ({tally.valid} valid), "
        f"{several(len(tally.stories), 'different story')} under {len(tally.combinations):,} of {valid:,} valid "
        f"combinations; {tally.overlaps:,} times two things at once, {tally.knocks:,} times something to be refused"
    )
    if tally.unsteady:
        yield f"  {several(tally.unsteady, 'trial')} had no verdict among others, and one when told again alone"
    if len(tally.deployments) + len(tally.left_out) > 1:
        yield from (f"  deployment with {_all(shared)}: explored" for shared in tally.deployments)
        yield from (f"  deployment with {_all(shared)}: not explored" for shared in tally.left_out)


def _all(shared: Literals) -> str:
    return " ".join(f"{flag}={variant}" for flag, variant in shared)


def _flags(changed: Literals) -> str:
    return f"{_all(changed)} and all else at the baseline" if changed else "every flag at the baseline"
