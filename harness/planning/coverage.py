"""Which of the valid combinations are played: `--coverage auto`, `exhaustive` or `t-way:N`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError, nearest
from harness.model import Catalogue, Combination
from harness.planning.covering import MAX_STRENGTH, covering
from harness.planning.exhaustive import count, fewest_changes_first
from harness.planning.plan import Claim, Literals, Plan, plan_of, require_few

AUTO, EXHAUSTIVE, T_WAY = "auto", "exhaustive", "t-way"
KNOWN = (AUTO, EXHAUSTIVE, *(f"{T_WAY}:{strength}" for strength in range(1, MAX_STRENGTH + 1)))

AUTO_COMBINATIONS = 100
"""How many `auto` plays in each scenario: a dozen scenarios then end in about five minutes on the clinic.

It counts combinations and no trials, so that a trial stays in the plan whatever other scenarios are selected.
"""
AUTO_STRENGTHS = (3, 2, 1)
WORDS = {1: "variant", 2: "pair of variants", 3: "triple of variants"}


@dataclass(frozen=True, slots=True)
class Covered:
    """The combinations that a coverage chooses, what they entitle to say, and why they were chosen."""

    catalogue: Catalogue
    rows: tuple[Combination, ...]
    claim: Claim
    choice: str = ""

    def plan(self, scenarios: Sequence[str], seed: int = 0) -> Plan:
        """Plan the scenarios under these combinations; raise UsageError as `plan_of` does."""
        return plan_of(self.catalogue, self.rows, self.claim, scenarios, seed, self.choice)


def require_known(text: str) -> None:
    """Raise UsageError, with the nearest right one, for what is no coverage."""
    if text in KNOWN:
        return
    number = re.fullmatch(rf"{T_WAY}:(\d{{1,9}})", text)
    number = number or re.search(r"(\d{1,9})", text)
    right = f"{T_WAY}:{min(max(int(number[1]), 1), MAX_STRENGTH)}" if number else ""
    hint = f"; did you mean '{right}'?" if right else nearest(text, KNOWN)
    raise UsageError(
        f"--coverage {text}: not known; there are {AUTO}, {EXHAUSTIVE} and {KNOWN[2]} to {KNOWN[-1]}{hint}"
    )


def cover(catalogue: Catalogue, coverage: str, fixed: Literals = ()) -> Covered:
    """Return the combinations that the coverage chooses of the catalogue's valid ones.

    A plan that turns out to hold every valid combination claims so, however it was asked for. `fixed` goes into
    the claim: see `harness.planning.held`. Raises UsageError for an unknown coverage, and for more valid combinations
    than can be chosen from.
    """
    require_known(coverage)
    if coverage == AUTO:
        covered = _auto(catalogue)
    elif coverage == EXHAUSTIVE:
        covered = _exhaustive(catalogue)
    else:
        covered = _t_way(catalogue, int(coverage.removeprefix(f"{T_WAY}:")))
    return replace(covered, claim=replace(covered.claim, fixed=fixed))


def choices(strength: int) -> str:
    """Return in words what a strength counts: a variant, a pair of variants, and so on."""
    return WORDS.get(strength, f"choice of {strength} variants")


def _exhaustive(catalogue: Catalogue) -> Covered:
    valid = count(catalogue)
    require_few(catalogue, valid, scenarios=1)
    return Covered(catalogue, tuple(fewest_changes_first(catalogue)), Claim("exhaustive", valid))


def _t_way(catalogue: Catalogue, strength: int) -> Covered:
    valid = count(catalogue)
    rows = covering(catalogue, strength)
    if len(rows) == valid:
        return _exhaustive(catalogue)
    return Covered(catalogue, tuple(rows), Claim("t-way", valid, strength))


def _auto(catalogue: Catalogue) -> Covered:
    valid = count(catalogue)
    if valid <= AUTO_COMBINATIONS:
        why = f"{AUTO} chose {EXHAUSTIVE}: {valid:,} valid combinations are at most {AUTO_COMBINATIONS}"
        return replace(_exhaustive(catalogue), choice=why)
    for strength in AUTO_STRENGTHS:
        covered = _t_way(catalogue, strength)
        if len(covered.rows) <= AUTO_COMBINATIONS or strength == AUTO_STRENGTHS[-1]:
            break
    held = f"{len(covered.rows):,} hold every valid {choices(strength)}"
    why = f"{valid:,} valid combinations are more than {AUTO_COMBINATIONS}, and {held}"
    return replace(covered, choice=f"{AUTO} chose {T_WAY}:{strength}: {why}")
