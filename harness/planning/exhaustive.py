"""Every valid combination of a catalogue: enumerate them, count them, and plan every scenario under each.

Both walks take the flags one after the other and carry as their state the constraints that are *open*: begun,
and matched by every variant chosen so far. Two prefixes with the same open constraints have the same future,
so the count is a dynamic programme over states, and the enumeration never enters a state known to be dead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Constraint, Flag, Trial

MAX_TRIALS = 100_000
MAX_STATES = 200_000

ClaimKind = Literal["exhaustive", "proved", "t-way", "selection"]
_State = frozenset[int]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a finished plan entitles us to say of the catalogue's valid combinations.

    `exhaustive`: each was executed in every scenario. `t-way`: every valid choice of variants for any
    `strength` flags was. `proved`: each was executed or is implied. `selection`: nothing beyond the trials.
    """

    kind: ClaimKind
    valid_combinations: int
    strength: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered trials, and the claim that they support once each of them has a verdict."""

    claim: Claim
    trials: tuple[Trial, ...]
    catalogue: Catalogue
    seed: int = 0

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios' names, each once, in the order of the trials."""
        return tuple(dict.fromkeys(trial.scenario for trial in self.trials))

    @property
    def combinations(self) -> tuple[Combination, ...]:
        """The combinations, each once, in the order of the trials."""
        return tuple(dict.fromkeys(trial.combination for trial in self.trials))

    def select(self, is_wanted: Callable[[Trial], bool]) -> Plan:
        """Return the plan of the wanted trials only, in the same order.

        Unless every trial is wanted, the claim becomes `selection`. Raises UsageError when none is.
        """
        trials = tuple(trial for trial in self.trials if is_wanted(trial))
        if not trials:
            raise UsageError(f"the selection holds none of the plan's {len(self.trials):,} trials")
        if len(trials) == len(self.trials):
            return self
        return replace(self, trials=trials, claim=Claim("selection", self.claim.valid_combinations))


def trial_id(beginning: str, ids: Collection[str]) -> str:
    """Return the one id that begins so; raise UsageError when none or several do."""
    found = [one for one in ids if beginning and one.startswith(beginning)]
    if len(found) > 1:
        raise UsageError(f"trial '{beginning}' may be any of {len(found)}: give all eight digits")
    if not found:
        raise UsageError(
            f"trial '{beginning}' is not in the plan: an id is of a scenario's name and a combination of its flag file"
        )
    return found[0]


def combinations(catalogue: Catalogue) -> Iterator[Combination]:
    """Yield each valid combination once, in the order of the product of the flags' variants.

    Each flag's baseline comes before its other variants and the last flag varies fastest, so that the
    catalogue's baseline is the first of all.
    """
    walk = _Walk(catalogue.flags, catalogue.constraints)
    dead: set[tuple[int, _State]] = set()

    def extend(chosen: tuple[tuple[str, str], ...], state: _State) -> Iterator[Combination]:
        if len(chosen) == len(catalogue.flags):
            yield Combination(chosen)
            return
        here = len(chosen), state
        if here in dead:
            return
        alive = False
        flag = catalogue.flags[len(chosen)]
        for variant in (flag.baseline, *(v for v in flag.variants if v != flag.baseline)):
            after = walk.step(state, flag.name, variant)
            if after is not None:
                for combination in extend((*chosen, (flag.name, variant)), after):
                    alive = True
                    yield combination
        if not alive and len(dead) < MAX_STATES:
            dead.add(here)

    if walk.is_possible:
        yield from extend((), frozenset())


def count(catalogue: Catalogue, given: Mapping[str, str] | None = None) -> int:
    """Return exactly how many valid combinations there are, of those that agree with `given`.

    No combination is built. Raises UsageError when the constraints are so entangled that more than
    MAX_STATES states would be held at once.
    """
    fixed = given or {}
    walk = _Walk(_narrow_order(catalogue), catalogue.constraints)
    ways: dict[_State, int] = {frozenset(): 1} if walk.is_possible else {}
    for flag in walk.flags:
        following: dict[_State, int] = {}
        for variant in flag.variants:
            if fixed.get(flag.name, variant) != variant:
                continue
            for state, n in ways.items():
                after = walk.step(state, flag.name, variant)
                if after is not None:
                    following[after] = following.get(after, 0) + n
        if len(following) > MAX_STATES:
            raise UsageError(
                f"{catalogue.source}: the constraints are too entangled to count the valid combinations "
                f"(more than {MAX_STATES:,} states at flag '{flag.name}'): use fewer exclusions"
            )
        ways = following
    return sum(ways.values())


def exhaustive(catalogue: Catalogue, scenarios: Sequence[str], seed: int = 0) -> Plan:
    """Plan every scenario under every valid combination.

    Combinations with the fewest changes from the baseline come first, so that the first failure is
    already a small one; all scenarios of a combination stand together, so that a target that can hold only
    one combination at a time is switched once for each. Every trial carries the plan's seed.

    Raises UsageError for no scenario, a scenario given twice, or too many trials (MAX_TRIALS).
    """
    _require_distinct(scenarios)
    valid = count(catalogue)
    trials = valid * len(scenarios)
    if trials > MAX_TRIALS:
        raise UsageError(
            f"{catalogue.source}: {valid:,} valid combinations x {len(scenarios)} scenarios = {trials:,} "
            f"trials, more than {MAX_TRIALS:,}: use fewer flags or variants, or select fewer scenarios"
        )
    baseline = catalogue.baseline.values_in_order

    def changes(combination: Combination) -> int:
        return len(set(combination.values_in_order) - set(baseline))

    return Plan(
        claim=Claim("exhaustive", valid),
        trials=tuple(
            Trial(scenario, combination, seed)
            for combination in sorted(combinations(catalogue), key=changes)
            for scenario in scenarios
        ),
        catalogue=catalogue,
        seed=seed,
    )


def _require_distinct(scenarios: Sequence[str]) -> None:
    if not scenarios:
        raise UsageError("no scenarios: a plan needs at least one")
    for name in scenarios:
        if scenarios.count(name) > 1:
            raise UsageError(f"scenario '{name}' is given twice")


class _Walk:
    """One step of a walk over the flags in a fixed order: from open constraints to open constraints."""

    def __init__(self, flags: Sequence[Flag], constraints: Sequence[Constraint]) -> None:
        self.flags = tuple(flags)
        order = {flag.name: i for i, flag in enumerate(flags)}
        clauses = [_clause(constraint) for constraint in constraints]
        self.is_possible = all(clauses)
        self._touching: dict[str, list[tuple[int, frozenset[str], bool, bool]]] = {name: [] for name in order}
        for number, clause in enumerate(clauses):
            inside = sorted(clause, key=order.__getitem__)
            for name in inside:
                is_first, is_last = name == inside[0], name == inside[-1]
                self._touching[name].append((number, clause[name], is_first, is_last))

    def step(self, state: _State, flag: str, variant: str) -> _State | None:
        """Return the constraints that are open after the choice, or None when it breaks one."""
        opened, closed = set[int](), set[int]()
        for number, forbidden, is_first, is_last in self._touching[flag]:
            if not is_first and number not in state:
                continue
            if variant not in forbidden:
                closed.add(number)
            elif is_last:
                return None
            else:
                opened.add(number)
        return (state | opened) - closed


def _clause(constraint: Constraint) -> dict[str, frozenset[str]]:
    clause: dict[str, frozenset[str]] = {}
    for flag, variants in constraint.forbidden:
        clause[flag] = clause.get(flag, variants) & variants
    return clause


def _narrow_order(catalogue: Catalogue) -> list[Flag]:
    """Order the flags so that few constraints are open at a time: greedily, the catalogue's order on ties."""
    scopes = [frozenset(flag for flag, _ in constraint.forbidden) for constraint in catalogue.constraints]
    bound = frozenset[str]().union(*scopes)
    left = [flag for flag in catalogue.flags if flag.name in bound]
    order: list[Flag] = []
    while left:
        done = {flag.name for flag in order}
        _, chosen = min((_open(scopes, done | {flag.name}), i) for i, flag in enumerate(left))
        order.append(left.pop(chosen))
    return order + [flag for flag in catalogue.flags if flag.name not in bound]


def _open(scopes: Sequence[frozenset[str]], done: set[str]) -> int:
    return sum(1 for scope in scopes if scope & done and not scope <= done)
