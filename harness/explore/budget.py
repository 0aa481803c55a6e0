"""The budget in seconds: how it is written, and how it is divided over the deployments that the flags need."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.errors import UsageError
from harness.model import Catalogue
from harness.planning.exhaustive import count
from harness.planning.plan import Literals

UNITS_S = {"": 1, "s": 1, "m": 60}
WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(s|m|)")
MAX_BUDGET_S = 86_400.0
LEAST_SHARE_S = 10.0
"""A deployment takes two or three seconds to start; in less than this little would be played on it."""
MAX_DEPLOYMENTS = 64


def read_budget(text: str) -> float:
    """Return the seconds of `60s`, `5m` or `90`; raise UsageError with the nearest right form for anything else."""
    found = WRITTEN.fullmatch(text.strip())
    budget_s = float(found[1]) * UNITS_S[found[2]] if found else 0.0
    if found and 0 < budget_s <= MAX_BUDGET_S:
        return budget_s
    why = "not a time"
    if found:
        why = "no time to play anything in" if not budget_s else f"more than {MAX_BUDGET_S / 60:g}m"
    raise UsageError(f"--budget {text}: {why}; give seconds or minutes, such as '{_meant(text)}'")


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


def _meant(text: str) -> str:
    number = re.search(r"\d{1,4}", text)
    if number is None or not int(number[0]):
        return "60s"
    return f"{int(number[0])}{'m' if 'm' in text.lower() else 's'}"
