"""The budget: how it is divided."""

from __future__ import annotations

import pytest

from harness.explore.budget import LEAST_SHARE_S, deployments, shares_s
from harness.planning.held import held

from .made import clinic


def test_the_deployments_of_the_clinic() -> None:
    """Two flags that are the same for all make four deployments, the baseline first and the farthest last."""
    usual = clinic().shared(clinic().baseline)
    found = deployments(clinic())
    assert (len(found), len(set(found)), found[0]) == (4, 4, usual)
    assert [len(set(each) - set(usual)) for each in found] == [0, 1, 1, 2]


def test_a_held_flag_takes_its_deployments_away() -> None:
    """A deployment that no valid combination needs is not started."""
    found = deployments(held(clinic(), (("fast-sessions", "on"),)))
    assert [dict(each)["fast-sessions"] for each in found] == ["on", "on"]


def test_the_baseline_gets_most() -> None:
    """The whole budget is divided, and the fewer flags are changed the more of it a deployment gets."""
    shares = shares_s([0, 1, 1, 2], 90.0)
    assert sum(shares) == pytest.approx(90.0)
    assert shares[0] > shares[1] == shares[2] > shares[3] >= LEAST_SHARE_S


@pytest.mark.parametrize(("budget_s", "chosen"), [(5.0, 1), (30.0, 2), (45.0, 3), (90.0, 4)])
def test_nobody_gets_too_little(budget_s: float, chosen: int) -> None:
    """A small budget goes to the first deployments alone, the first gets what there is."""
    shares = shares_s([0, 1, 1, 2], budget_s)
    assert [share > 0 for share in shares] == [number < chosen for number in range(4)]
    assert sum(shares) == pytest.approx(budget_s)
