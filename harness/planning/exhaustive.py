"""Every valid combination of a catalogue: enumerate them, count them, and plan every scenario under each.

Both walks take the flags one after the other and carry as their state the constraints that are *open*: begun,
and matched by every variant chosen so far. Two prefixes with the same open constraints have the same future,
so the count is a dynamic programme over states, and the enumeration never enters a state known to be dead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Constraint, Flag
from harness.planning.plan import Claim, Plan, plan_of, require_distinct, require_few

MAX_STATES = 200_000

_State = frozenset[int]


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


def fewest_changes_first(catalogue: Catalogue) -> list[Combination]:
    """Return every valid combination, those with the fewest changes from the baseline first."""
    baseline = catalogue.baseline.values_in_order

    def changes(combination: Combination) -> int:
        return len(set(combination.values_in_order) - set(baseline))

    return sorted(combinations(catalogue), key=changes)


def exhaustive(catalogue: Catalogue, scenarios: Sequence[str], seed: int = 0) -> Plan:
    """Plan every scenario under every valid combination.

    Combinations with the fewest changes from the baseline come first, so that the first failure is
    already a small one. Raises UsageError as `plan_of` does, before any combination is built.
    """
    require_distinct(scenarios)
    valid = count(catalogue)
    require_few(catalogue, valid, len(scenarios))
    return plan_of(catalogue, fewest_changes_first(catalogue), Claim("exhaustive", valid), scenarios, seed)


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
