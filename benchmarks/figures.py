"""What was measured, as values; and the table that people read."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HarnessRun:
    """One `harness run`, and where its processor seconds went.

    `elapsed_s` is the whole command; `requesting_s` lasts from its first request to its last. `parts_cpu_s` are
    parts of `harness_cpu_s`, by the work done.
    """

    trials: int
    requests: int
    elapsed_s: float
    requesting_s: float
    harness_cpu_s: float
    clinic_cpu_s: float
    flags_cpu_s: float
    parts_cpu_s: Mapping[str, float]

    @property
    def trials_per_s(self) -> float:
        """Of the whole command."""
        return self.trials / self.elapsed_s

    @property
    def requests_per_s(self) -> float:
        """Of the whole command: start, plan, proof of the flags, judging and reports included."""
        return self.requests / self.elapsed_s

    @property
    def requests_per_s_requesting(self) -> float:
        """Of the time from the first request to the last."""
        return self.requests / self.requesting_s


@dataclass(frozen=True, slots=True)
class BareRun:
    """The same requests sent by the bare client; `elapsed_s` lasts from the first request to the last answer."""

    requests: int
    elapsed_s: float
    client_cpu_s: float
    clinic_cpu_s: float

    @property
    def requests_per_s(self) -> float:
        """Of the time from the first request to the last."""
        return self.requests / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Pair:
    """A harness run and the bare client's after it, on the machine as it was at that moment."""

    harness: HarnessRun
    bare: BareRun

    @property
    def ratio(self) -> float:
        """Requests/s of the whole command by requests/s of the bare client."""
        return self.harness.requests_per_s / self.bare.requests_per_s

    @property
    def ratio_requesting(self) -> float:
        """Requests/s of the harness while it sends requests by requests/s of the bare client."""
        return self.harness.requests_per_s_requesting / self.bare.requests_per_s


NAME_WIDTH = 35

Row = tuple[str, Callable[[Pair], float], str]

ROWS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "harness run, the whole command",
        (
            ("trials", lambda pair: pair.harness.trials, ",.0f"),
            ("trials/s", lambda pair: pair.harness.trials_per_s, ",.1f"),
            ("requests", lambda pair: pair.harness.requests, ",.0f"),
            ("requests/s", lambda pair: pair.harness.requests_per_s, ",.0f"),
            ("elapsed, s", lambda pair: pair.harness.elapsed_s, ".2f"),
            ("CPU of the harness, s", lambda pair: pair.harness.harness_cpu_s, ".2f"),
            ("CPU of the clinic, s", lambda pair: pair.harness.clinic_cpu_s, ".2f"),
            ("CPU of the flag server, s", lambda pair: pair.harness.flags_cpu_s, ".2f"),
        ),
    ),
    (
        "harness run, from its first request to its last",
        (
            ("elapsed, s", lambda pair: pair.harness.requesting_s, ".2f"),
            ("requests/s", lambda pair: pair.harness.requests_per_s_requesting, ",.0f"),
        ),
    ),
    (
        "bare client, the same requests",
        (
            ("requests", lambda pair: pair.bare.requests, ",.0f"),
            ("requests/s", lambda pair: pair.bare.requests_per_s, ",.0f"),
            ("elapsed, s", lambda pair: pair.bare.elapsed_s, ".2f"),
            ("CPU of the client, s", lambda pair: pair.bare.client_cpu_s, ".2f"),
            ("CPU of the clinic, s", lambda pair: pair.bare.clinic_cpu_s, ".2f"),
        ),
    ),
    (
        "harness / bare client, requests/s",
        (
            ("whole command", lambda pair: pair.ratio, ".2f"),
            ("first request to last", lambda pair: pair.ratio_requesting, ".2f"),
        ),
    ),
)


def table(pairs: Sequence[Pair]) -> str:
    """Return the figures as lines of text: each the median of all repeats, with the least and the most."""
    lines = [f"{'':<{NAME_WIDTH + 2}}{'median':>10}{'least':>10}{'most':>10}"]
    for title, rows in (*ROWS, ("CPU of the harness by work, s", _parts(pairs))):
        lines += ["", title]
        for name, figure, form in rows:
            values = [figure(pair) for pair in pairs]
            shown = (format(each, form) for each in (statistics.median(values), min(values), max(values)))
            lines.append(f"  {name:<{NAME_WIDTH}}" + "".join(f"{each:>10}" for each in shown))
    return "\n".join(lines)


def _parts(pairs: Sequence[Pair]) -> tuple[Row, ...]:
    def row(part: str) -> Row:
        return part, lambda pair: pair.harness.parts_cpu_s[part], ".2f"

    return tuple(row(part) for part in pairs[0].harness.parts_cpu_s)
