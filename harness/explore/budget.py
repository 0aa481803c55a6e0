"""How the budget is divided over the deployments that the flags need."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Catalogue
from harness.planning.exhaustive import count
from harness.planning.plan import Literals

LEAST_SHARE_S = 10.0
"""A deployment takes two or three seconds to start; in less than this little would be played on it."""
MAX_DEPLOYMENTS = 64


def deployments(catalogue: Catalogue) -> tuple[Literals, ...]:
    """Return what the users of a deployment may share, the fewest changes from the baseline first.

    One, which shares nothing, when every flag is told apart per user; at most MAX_DEPLOYMENTS.
    """
    usual = dict(catalogue.baseline)
    found: list[Literals] = [()]
    for flag in catalogue.flags:
        if flag.context == "user":
            continue
        ordered = (flag.baseline, *(variant for variant in flag.variants if variant != flag.baseline))
        found = [(*chosen, (flag.name, variant)) for chosen in found for variant in ordered]
        found = [chosen for chosen in _nearest(found, usual) if count(catalogue, dict(chosen))][:MAX_DEPLOYMENTS]
    return tuple(_nearest(found, usual))


def shares_s(changes: Sequence[int], budget_s: float) -> list[float]:
    """Return how much of a budget each deployment gets; `changes` are its flags that are not at the baseline.

    One with n changes gets 1 / (1 + n) as much as the baseline. The last ones get nothing rather than less than
    LEAST_SHARE_S each, but for the first, which gets what there is.
    """
    for chosen in range(len(changes), 1, -1):
        weights = [1 / (1 + each) for each in changes[:chosen]]
        if budget_s * min(weights) / sum(weights) >= LEAST_SHARE_S:
            return [budget_s * weight / sum(weights) for weight in weights] + [0.0] * (len(changes) - chosen)
    return [budget_s] + [0.0] * (len(changes) - 1)


def _nearest(found: Sequence[Literals], usual: dict[str, str]) -> list[Literals]:
    return sorted(found, key=lambda chosen: sum(usual[flag] != variant for flag, variant in chosen))
