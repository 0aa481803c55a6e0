"""From verdicts back to the cause: under which flags the target leaks, and under which it may still ship.

A leak condition is a conjunction of `flag=variant` literals such that every tested combination that matches
is invalid, and such that no literal can be dropped: a prime implicant of the failing set, seen through the
valid combinations only (Quine, "The problem of simplifying truth functions", 1952). So constraints shorten
it: what a parent implies is never repeated. Tested means a verdict of VALID or INVALID, not UNKNOWN.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Verdict
from harness.planning.exhaustive import count

MAX_LITERALS = 4
MAX_CONJUNCTIONS = 100_000
MAX_BITS = 400_000_000
MAX_REGION_LITERALS = 3
MAX_REGIONS_TRIED = 20_000

Literal = tuple[str, str]
Cause = tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A smallest cause, its literals in the order of the flags' names; none at all means always.

    `failing` counts the invalid combinations that match, `decided` those of the whole catalogue that have a
    verdict. `exact` is True when that is every valid combination; otherwise the condition is a hypothesis, and
    `rivals` counts others, as short, that explain the same failures.
    """

    literals: Cause
    failing: int
    exact: bool
    decided: int = 0
    rivals: int = 0


@dataclass(frozen=True, slots=True)
class Region:
    """Where every tested combination is valid: `valid` of `total` combinations that match the literals."""

    literals: Cause
    valid: int
    total: int

    @property
    def exact(self) -> bool:
        """True when every combination that matches was tested; otherwise nothing is promised of the others."""
        return self.valid == self.total


def leak_conditions(catalogue: Catalogue, verdicts: Mapping[Combination, Verdict]) -> tuple[Condition, ...]:
    """Return a small set of leak conditions that together match every invalid combination; none for no leak.

    Conjunctions of up to MAX_LITERALS literals are tried, the short ones first, within a bound on the work. A
    failing combination that none of these explains is narrowed by dropping its literals one by one, those at
    the baseline first. Of what was found a greedy cover is kept, the widest first. The answer does not depend
    on the order of the mapping. Raises UsageError when a combination is not a valid one of the catalogue.
    """
    results = _Results(catalogue, verdicts)
    if not results.failing:
        return ()
    found: list[Cause] = [()] if not results.passing else _short_causes(results)
    left = results.failing & ~results.union(found)
    while left:
        cause = _narrowed(results, left.bit_length() - 1)
        found.append(cause)
        left &= ~results.matching(cause)
    exact = results.decided == count(catalogue)
    return tuple(
        Condition(
            literals=tuple(sorted(cause)),
            failing=(results.matching(cause) & results.failing).bit_count(),
            exact=exact,
            decided=results.decided,
            rivals=0 if exact else _rivals(results, cause, found),
        )
        for cause in _cover(results, found)
    )


def safe_regions(catalogue: Catalogue, verdicts: Mapping[Combination, Verdict]) -> tuple[Region, ...]:
    """Return the largest regions that avoid every leak, the widest first; none when there is no leak.

    A region is one literal that negates a literal of a leak condition. Where no single literal is safe, it is
    a conjunction of as few as are (at most MAX_REGION_LITERALS), as two independent leaks need. A region
    matches at least one tested combination, and none that is invalid or unknown; combinations without a
    result show as `valid` below `total`. Raises UsageError as `leak_conditions` does.
    """
    results = _Results(catalogue, verdicts)
    negations = _negations(catalogue, leak_conditions(catalogue, verdicts))
    tried = 0
    for size in range(1, MAX_REGION_LITERALS + 1):
        regions = []
        for literals in itertools.combinations(negations, size):
            tried += 1
            if tried > MAX_REGIONS_TRIED:
                break
            valid = results.matching(literals) & results.passing
            if len(dict(literals)) == size and valid and not results.matching(literals) & ~results.passing:
                total = count(catalogue, dict(literals))
                regions.append(Region(tuple(sorted(literals)), valid.bit_count(), total))
        if regions:
            return tuple(sorted(regions, key=lambda region: (-region.total, -region.valid)))
    return ()


def describe(condition: Condition, catalogue: Catalogue, verb: str = "leak") -> str:
    """Return the condition in words: when it leaks, or fails, and what does not matter or how sure that is."""
    when = f"when {_conjunction(condition.literals)}" if condition.literals else _always(catalogue)
    if not condition.exact:
        seen = f"{condition.decided:,} of {count(catalogue):,} combinations have a verdict"
        if condition.rivals:
            noun = "condition explains" if condition.rivals == 1 else "conditions explain"
            seen += f", and {condition.rivals:,} other {noun} the same failures"
        return f"seems to {verb} {when}   (hypothesis: {seen})"
    others = len(_free(catalogue) - dict(condition.literals).keys())
    if not others:
        return f"{verb}s {when}"
    if not condition.literals:
        which = "the only flag does" if others == 1 else f"the {others:,} flags do"
    else:
        which = "the other flag does" if others == 1 else f"the other {others:,} flags do"
    return f"{verb}s {when}   ({which} not matter)"


def describe_region(region: Region) -> str:
    """Return the region in words, such as `safe with a=off (24 of 24 combinations valid)`.

    What was not executed as a whole is not called safe.
    """
    noun = "combination" if region.total == 1 else "combinations"
    if not region.exact:
        seen = f"{region.valid:,} executed of {region.total:,} {noun}"
        return f"you may ship with {_conjunction(region.literals)}: nothing failed in the {seen}"
    return f"safe with {_conjunction(region.literals)} ({region.valid:,} of {region.total:,} {noun} valid)"


def _conjunction(literals: Sequence[Literal]) -> str:
    return " and ".join(f"{flag}={variant}" for flag, variant in literals)


def _always(catalogue: Catalogue) -> str:
    """Say `always`, and of which flags that says nothing since they were held."""
    free = _free(catalogue)
    held = [(flag, variant) for flag, variant in catalogue.baseline.items() if flag not in free]
    return f"always, where {_conjunction(held)} throughout" if held and free else "always"


def _free(catalogue: Catalogue) -> set[str]:
    """Return the flags that have more than one variant in the valid combinations: no others can matter."""
    return {
        flag.name
        for flag in catalogue.flags
        if sum(1 for variant in flag.variants if count(catalogue, {flag.name: variant})) > 1
    }


def _rivals(results: _Results, cause: Cause, found: Sequence[Cause]) -> int:
    explained = results.matching(cause) & results.failing
    return sum(
        1
        for other in found
        if other != cause and len(other) == len(cause) and results.matching(other) & results.failing == explained
    )


def _negations(catalogue: Catalogue, conditions: Sequence[Condition]) -> list[Literal]:
    variants = {flag.name: flag.variants for flag in catalogue.flags}
    literals = [literal for condition in conditions for literal in condition.literals]
    others = [(flag, other) for flag, variant in literals for other in variants[flag] if other != variant]
    return list(dict.fromkeys(others))


class _Results:
    """The verdicts as sets of combinations, each an integer with one bit for each combination."""

    def __init__(self, catalogue: Catalogue, verdicts: Mapping[Combination, Verdict]) -> None:
        for combination in verdicts:
            known = all(v in f.variants for f, v in zip(catalogue.flags, combination.values(), strict=False))
            if tuple(combination) != catalogue.names or not known or not catalogue.allows(combination):
                raise UsageError(f"{catalogue.source}: not a valid combination of it: {combination}")
        baseline = catalogue.baseline
        self.literals: list[Literal] = sorted(
            ((flag.name, variant) for flag in catalogue.flags for variant in flag.variants),
            key=lambda literal: literal in baseline.values_in_order,
        )
        rank = {literal: i for i, literal in enumerate(self.literals)}
        self.order = sorted(verdicts, key=lambda c: [rank[literal] for literal in c.values_in_order])
        self._matching = dict.fromkeys(self.literals, 0)
        self.failing = self.passing = 0
        for i, combination in enumerate(self.order):
            self.failing |= (verdicts[combination] is Verdict.INVALID) << i
            self.passing |= (verdicts[combination] is Verdict.VALID) << i
            for literal in combination.values_in_order:
                self._matching[literal] |= 1 << i
        self.decided = (self.failing | self.passing).bit_count()

    def matching(self, literals: Sequence[Literal]) -> int:
        """The combinations that match all literals, those without a verdict included."""
        matching = (1 << len(self.order)) - 1
        for literal in literals:
            matching &= self._matching[literal]
        return matching

    def union(self, causes: Sequence[Sequence[Literal]]) -> int:
        """The combinations that match at least one of the conjunctions."""
        union = 0
        for cause in causes:
            union |= self.matching(cause)
        return union

    def is_cause(self, literals: Sequence[Literal]) -> bool:
        """True when something that matches is invalid and nothing that matches is valid."""
        matching = self.matching(literals)
        return bool(matching & self.failing) and not matching & self.passing

    def is_minimal(self, cause: Sequence[Literal]) -> bool:
        """True when no single literal of a cause can be dropped."""
        return not any(self.is_cause(shorter) for shorter in itertools.combinations(cause, len(cause) - 1))


def _short_causes(results: _Results) -> list[Cause]:
    """Find minimal causes by size until they explain every failing combination, or the bound is reached."""
    found: list[Cause] = []
    left = results.failing
    work = iter(range(min(MAX_CONJUNCTIONS, MAX_BITS // len(results.order))))
    for size in range(1, MAX_LITERALS + 1):
        found += _causes_of_size(results, size, left, work)
        left &= ~results.union(found)
        if not left:
            break
    return found


def _causes_of_size(results: _Results, size: int, left: int, work: Iterator[int]) -> Iterator[Cause]:
    """Yield the minimal causes with so many literals that explain something of what is left."""

    def extend(chosen: Cause, start: int, matching: int) -> Iterator[Cause]:
        for i, literal in enumerate(results.literals[start:], start):
            if next(work, None) is None:
                return
            inner = matching & results.matching((literal,))
            # A literal that changes nothing is implied by those before it, so no minimal cause holds both.
            if not inner & left or inner == matching:
                continue
            longer = (*chosen, literal)
            if len(longer) < size:
                if inner & results.passing:
                    yield from extend(longer, i + 1, inner)
            elif not inner & results.passing and results.is_minimal(longer):
                yield longer

    return extend((), 0, results.failing | results.passing)


def _narrowed(results: _Results, failing: int) -> Cause:
    """Drop literals of one failing combination, those at the baseline first, while it stays a cause."""
    cause = tuple(literal for literal in results.literals if literal in results.order[failing].values_in_order)
    for literal in reversed(cause):
        shorter = tuple(other for other in cause if other != literal)
        if results.is_cause(shorter):
            cause = shorter
    return cause


def _cover(results: _Results, causes: Sequence[Cause]) -> list[Cause]:
    """Choose causes that match every failing combination: the widest at each step, none superfluous."""
    matching = [results.matching(cause) & results.failing for cause in causes]
    queue = [(-held.bit_count(), i) for i, held in enumerate(matching)]
    heapq.heapify(queue)
    chosen: list[int] = []
    left = results.failing
    while left:
        stale, i = heapq.heappop(queue)
        gain = (matching[i] & left).bit_count()
        if gain < -stale:
            heapq.heappush(queue, (-gain, i))
        else:
            chosen.append(i)
            left &= ~matching[i]
    for i in reversed(chosen[:]):
        others = 0
        for j in chosen:
            others |= matching[j] if j != i else 0
        if others == results.failing:
            chosen.remove(i)
    return [causes[i] for i in chosen]
