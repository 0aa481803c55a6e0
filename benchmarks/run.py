"""`make bench`, which is `python -m benchmarks.run`: see --help, and README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import recording, target
from benchmarks.bare import Differs, replay
from benchmarks.figures import HarnessRun, Pair, table
from harness.errors import HarnessError

HARNESS = Path(sys.executable).with_name("harness")
FLAGS = Path(__file__).with_name("flags.toml")
"""Flags that are all told apart per user: one deployment, so that both clients face one clinic."""
RUN_DEADLINE_S = 600.0
STOP_S = 5.0
MAX_REPEATS = 100
LAST_LINES = 12
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 4, 130


class Failed(Exception):
    """A measurement cannot be made; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 0, or 1 when a run failed or the replay differed, 130 after Ctrl-C."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pairs = _measure(options.repeats, options.scenario)
    except KeyboardInterrupt:
        _say("interrupted: nothing was measured to its end")
        return EXIT_INTERRUPTED
    except (Failed, Differs, TimeoutError, HarnessError) as error:
        _say(f"error: {error or type(error).__name__}")
        return EXIT_FAILED
    sys.stdout.write(table(pairs) + "\n")
    if options.json:
        rows = [asdict(pair) | {"ratio": pair.ratio, "ratio_requesting": pair.ratio_requesting} for pair in pairs]
        options.json.write_text(json.dumps({"schema": 1, "repeats": rows}, indent=1) + "\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Measure trials/s and requests/s of `harness run`, and beside it the requests/s of a bare "
        "asynchronous client that sends the same requests to the same kind of clinic. First one run is recorded; "
        "then `harness run` and the bare client take turns. All on 127.0.0.1; about 25 s for each turn.",
        epilog="Exit codes: 0 measured, 1 a run failed or the clinic answered the bare client otherwise, 4 usage, "
        "130 interrupted.",
    )
    add = parser.add_argument
    add("scenario", nargs="*", metavar="SCENARIO", help="what to run, as for `harness run`; all of scenarios/")
    add("--repeats", type=_repeats, default=3, metavar="N", help="how many turns; the median is shown (3)")
    add("--json", type=_file, metavar="FILE", help="write every turn's figures there too")
    try:
        return parser.parse_args(arguments)
    except SystemExit as ending:
        raise SystemExit(EXIT_USAGE if ending.code else 0) from None


def _repeats(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_REPEATS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {MAX_REPEATS}")
    return int(text)


def _file(text: str) -> Path:
    file = Path(text)
    if file.is_dir() or not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"'{text}' is not a file in a directory that exists")
    return file


def _measure(repeats: int, scenarios: Sequence[str]) -> list[Pair]:
    """Record one run, then measure run and replay in turn."""
    with tempfile.TemporaryDirectory(prefix="harness-benchmark-") as directory:
        place = Path(directory)
        scripts = _record(place, scenarios)
        pairs = []
        for turn in range(1, repeats + 1):
            _say(f"turn {turn} of {repeats}: harness run")
            harness = _harness(place, scenarios)
            _say(f"turn {turn} of {repeats}: bare client")
            bare = replay(scripts, FLAGS)
            pairs.append(Pair(harness, bare))
            _say(f"  {harness.requests_per_s:,.0f} and {bare.requests_per_s:,.0f} requests/s")
        return pairs


def _record(place: Path, scenarios: Sequence[str]) -> list[recording.Script]:
    _say("recording a run's requests")
    _command(place, "recorded", scenarios)
    exchanges = recording.read(place / "recorded")
    scripts = recording.scripts(exchanges)
    steps = [step for script in scripts for step in script]
    first = sum(not step.after for step in steps)
    learnt = sum(len(step.learns) for step in steps)
    _say(f"  {len(steps):,} requests; {learnt:,} ids, tokens and cursors to be learnt anew from the answers")
    _say(f"  {len(steps) - first:,} wait, as they did, for requests of their trial that were over before them")
    return scripts


def _harness(place: Path, scenarios: Sequence[str]) -> HarnessRun:
    """Measure one whole `harness run`."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    summary = _command(place, "metered", scenarios)
    elapsed_s, after = time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    figures: dict[str, Any] = json.loads((place / "metered").read_text())
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    harness_s = cpu_s - figures["clinic_cpu_s"] - figures["flags_cpu_s"]
    parts = figures.pop("parts_cpu_s")
    return HarnessRun(
        trials=summary["trials"]["total"],
        requests=summary["requests"],
        elapsed_s=elapsed_s,
        harness_cpu_s=harness_s,
        parts_cpu_s=parts | {"the rest (proof of flags, reports)": harness_s - sum(parts.values())},
        **figures,
    )


def _command(place: Path, factory: str, scenarios: Sequence[str]) -> dict[str, Any]:
    """Run `harness run` on the sound clinic, its target observed, and return the summary that it wrote."""
    command = [str(HARNESS), "run", "--target", f"{target.__name__}:{factory}", "--flags", str(FLAGS)]
    command += ["--coverage", "t-way:2", "--out", str(place / "out"), *scenarios]
    environment = os.environ | {target.FILE: str(place / factory), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        # Its end closes the output that we read, and the input by which its children live.
        overdue = threading.Timer(RUN_DEADLINE_S, process.kill)
        overdue.start()
        try:
            said = _followed(process)
        except BaseException:
            _stop(process)
            raise
        finally:
            overdue.cancel()
    if process.returncode != 0:
        raise Failed(f"harness run ended with exit code {process.returncode}:\n" + "".join(said[-LAST_LINES:]))
    summary: dict[str, Any] = json.loads((place / "out" / "summary.json").read_text())
    return summary


def _followed(process: subprocess.Popen[str]) -> list[str]:
    """Show the run's progress until its end, and return its lines."""
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if " trials: " in line:
            _say(f"  {line.strip()}")
    process.wait()
    return lines


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt the run, which then ends what it started; kill it when it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
