"""What was found, the worst of each operation, viewer and owner, with the request that showed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.model import degree_rank
from harness.sweeping.asking.reach import How
from harness.sweeping.describing.source import in_one_line
from harness.sweeping.judging.judge import Leak

MAX_FINDINGS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A leak with the request that showed it."""

    leak: Leak
    how: How
    status: int
    curl: str


Findings = dict[tuple[str, str | None, str], Found]


def keep(findings: Findings, leak: Leak, how: How, status: int, curl: Callable[[], str]) -> None:
    """Keep a leak that is new, unless there are MAX_FINDINGS, or worse than what is known in its place."""
    known = findings.get(leak.key)
    is_worse = known is not None and degree_rank(leak.degree) > degree_rank(known.leak.degree)
    if is_worse or (known is None and len(findings) < MAX_FINDINGS):
        findings[leak.key] = Found(leak, how, status, _command(curl))


def _command(curl: Callable[[], str]) -> str:
    try:
        return curl()
    except Exception as error:  # noqa: BLE001 - a leak is told without its command rather than not at all
        return f"(its request cannot be written as a command: {in_one_line(error)})"
