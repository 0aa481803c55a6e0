"""A plan: ordered trials, the claim that they support, and the deployments that they need one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Trial

MAX_TRIALS = 100_000

ClaimKind = Literal["exhaustive", "proved", "t-way", "selection"]
Literals = tuple[tuple[str, str], ...]
"""Flags, each with one variant."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a finished plan entitles us to say of the catalogue's valid combinations.

    `exhaustive`: each was executed in every scenario. `t-way`: every valid choice of variants for any
    `strength` flags was. `proved`: each was executed or is implied. `selection`: nothing beyond the trials.
    `fixed` are flags that the run holds so, by choice or since it cannot switch them: combinations in which they are
    otherwise are neither counted nor spoken of.
    """

    kind: ClaimKind
    valid_combinations: int
    strength: int | None = None
    fixed: Literals = ()


@dataclass(frozen=True)
class Plan:
    """Ordered trials, and the claim that they support once each of them has a verdict.

    `choice` says why this coverage was chosen, where that was left to the harness.
    """

    claim: Claim
    trials: tuple[Trial, ...]
    catalogue: Catalogue
    seed: int = 0
    choice: str = ""

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios' names, each once, in the order of the trials."""
        return tuple(dict.fromkeys(trial.scenario for trial in self.trials))

    @cached_property
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
        return replace(self, trials=trials, claim=replace(self.claim, kind="selection", strength=None), choice="")


@dataclass(frozen=True, slots=True)
class Group:
    """The trials of a plan that one deployment can hold, with what all of its users `shared`."""

    shared: Literals
    plan: Plan

    @property
    def base(self) -> Combination:
        """The baseline as it is in this deployment, or the group's first combination where that is not valid."""
        catalogue = self.plan.catalogue
        held = dict(catalogue.baseline) | dict(self.shared)
        return Combination(tuple(held.items())) if catalogue.allows(held) else self.plan.trials[0].combination


def groups(plan: Plan) -> tuple[Group, ...]:
    """Return the plan's trials by what all users of a deployment share, in the order of their first trials.

    One group when every flag is told apart per user.
    """
    trials: dict[Literals, list[Trial]] = {}
    for trial in plan.trials:
        trials.setdefault(plan.catalogue.shared(trial.combination), []).append(trial)
    return tuple(Group(shared, replace(plan, trials=tuple(some))) for shared, some in trials.items())


def plan_of(
    catalogue: Catalogue,
    rows: Sequence[Combination],
    claim: Claim,
    scenarios: Sequence[str],
    seed: int = 0,
    choice: str = "",
) -> Plan:
    """Plan every scenario under each of the combinations, in their order; every trial carries the plan's seed.

    Combinations that one deployment can hold stand together, and all scenarios of a combination do. Raises
    UsageError for no scenario, a scenario given twice, or more than MAX_TRIALS trials.
    """
    require_distinct(scenarios)
    require_few(catalogue, len(rows), len(scenarios))
    order = {shared: i for i, shared in enumerate(dict.fromkeys(map(catalogue.shared, rows)))}
    return Plan(
        claim=claim,
        trials=tuple(
            Trial(scenario, combination, seed)
            for combination in sorted(rows, key=lambda row: order[catalogue.shared(row)])
            for scenario in scenarios
        ),
        catalogue=catalogue,
        seed=seed,
        choice=choice,
    )


def require_distinct(scenarios: Sequence[str]) -> None:
    """Raise UsageError for no scenario, or one that is given twice."""
    if not scenarios:
        raise UsageError("no scenarios: a plan needs at least one")
    for name in scenarios:
        if scenarios.count(name) > 1:
            raise UsageError(f"scenario '{name}' is given twice")


def require_few(catalogue: Catalogue, rows: int, scenarios: int) -> None:
    """Raise UsageError when so many combinations and scenarios make more than MAX_TRIALS trials."""
    if rows * scenarios > MAX_TRIALS:
        raise UsageError(
            f"{catalogue.source}: {rows:,} valid combinations x {scenarios} scenarios = {rows * scenarios:,} "
            f"trials, more than {MAX_TRIALS:,}: use fewer flags or variants, or select fewer scenarios, or another "
            "coverage"
        )


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
