"""One exercise in a process of its own: an ordinary run of a plan that was chosen for one flaw.

Standard input holds the task, one line of JSON: `flags`, `flag_server`, `scenarios`, `flaws`, `combinations`,
`at_once`, `out`, and as `sought` the check at whose first finding the run may stop, or nothing. When standard input
closes, the run ends as by Ctrl-C, so that nothing survives a drill that was killed. Standard output is one JSON object
a line, written as it happens:

    {"phase": TEXT}                                       what is being prepared
    {"trial": ID, "scenario": NAME, "at_s": S, "said": [{"check", "verdict", "degree", "sentence"}, ...]}
    {"verdict": VERDICT, "doubts": [TEXT, ...], "requests": N}      once, at the end
    {"error": TEXT}                                       in place of a verdict

`at_s` counts from the moment at which the first trial could begin. Of a trial's findings each check's first of the
highest degree is told; all of them stand in the run's summary.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from harness.drilling.stories import scenarios_in
from harness.errors import FlagError, HarnessError
from harness.model import Combination, Finding, Verdict, degree_rank
from harness.planning.coverage import EXHAUSTIVE
from harness.planning.exhaustive import count
from harness.planning.plan import Claim, Plan, plan_of
from harness.running.outcome import ExitCode
from harness.running.settings import Settings
from harness.running.trial import TrialResult
from harness.session import Quiet, Session


class _Speaker(Quiet):
    """The spectator of an exercise: says what happens, and stops the engine once `sought` has found something."""

    def __init__(self, output: IO[str]) -> None:
        self.began_s = time.monotonic()
        self.sought = ""
        self.session: Session | None = None
        self._output = output
        self._lock = threading.Lock()

    def say(self, **what: object) -> None:
        """Write a line; the engine's thread and the main one both do."""
        # When nobody listens any more the drill is gone, and standard input has closed, too: the run is ending.
        with self._lock, suppress(BrokenPipeError):
            self._output.write(json.dumps(what) + "\n")
            self._output.flush()

    def phase(self, text: str) -> None:
        """Say what is being prepared."""
        self.say(phase=text)

    def finished(self, result: TrialResult) -> None:
        """Say what a trial showed, unless it never ran: the run's doubts tell that."""
        if result.executed:
            self.say(
                trial=result.trial.id,
                scenario=result.trial.scenario,
                at_s=round(max(0.0, time.monotonic() - self.began_s), 3),
                said=telling(result.findings),
            )
        engine = self.session.engine if self.session else None
        if engine and any(each.check == self.sought and each.verdict is Verdict.INVALID for each in result.findings):
            engine.stopped = engine.stopped or f"{self.sought} has seen the flaw"


def telling(findings: Sequence[Finding]) -> list[dict[str, str | None]]:
    """Return one finding for each check and verdict: the first of the highest degree."""
    best: dict[tuple[str, Verdict], Finding] = {}
    for finding in findings:
        known = best.setdefault((finding.check, finding.verdict), finding)
        if degree_rank(finding.degree) > degree_rank(known.degree):
            best[finding.check, finding.verdict] = finding
    return [
        {"check": each.check, "verdict": each.verdict, "degree": each.degree, "sentence": each.sentence}
        for each in best.values()
    ]


def planned(session: Session, combinations: Sequence[Combination]) -> Plan:
    """Return the plan of every scenario of the session under these combinations alone."""
    claim = Claim("selection", count(session.catalogue))
    return plan_of(session.catalogue, combinations, claim, list(session.scenarios), session.settings.seed)


def perform(task: dict[str, Any], speaker: _Speaker) -> ExitCode:
    """Play a task to its end or until it is interrupted; return the run's exit code."""
    settings = Settings(
        paths=tuple(task["scenarios"]),
        flags=Path(task["flags"]),
        flag_server=task["flag_server"],
        coverage=EXHAUSTIVE,
        flaws=tuple(task["flaws"]),
        at_once=task["at_once"],
        out=Path(task["out"]),
    )
    session = Session(settings)
    session.spectator = speaker
    speaker.session, speaker.sought = session, task["sought"]
    session.scenarios = scenarios_in(Path(path) for path in settings.paths)
    combinations = [Combination(tuple(each.items())) for each in task["combinations"]]
    session.plan = planned(session, combinations)
    interrupted = False
    with session.opened() as place:
        try:
            with session.performed(place):
                speaker.began_s = time.monotonic()
                for trial in session.plan.trials:
                    if session.conductor:
                        session.conductor.result(trial)
        except KeyboardInterrupt:
            interrupted = True
        except FlagError:
            speaker.phase("ending: the flags could not be proved")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        outcome = session.conclude(interrupted=interrupted)
    if outcome is None:
        return ExitCode.UNKNOWN
    speaker.say(verdict=outcome.verdict, doubts=list(outcome.doubts), requests=outcome.requests)
    return outcome.exit_code


def main() -> int:
    """Take the task from standard input and play it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    speaker = _Speaker(os.fdopen(os.dup(sys.stdout.fileno()), "w"))
    # What a scenario prints must not stand between the lines.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        task = json.loads(sys.stdin.readline())
        _interrupt_with_stdin()
        return perform(task, speaker)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except HarnessError as error:
        speaker.say(error=str(error))
        return ExitCode.UNKNOWN


def _interrupt_with_stdin() -> None:
    def watch() -> None:
        while os.read(0, 65536):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
