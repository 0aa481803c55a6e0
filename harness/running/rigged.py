"""A deployment and the harness's instruments for whoever plays trials without a plan of cells: explore and sweep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.planning.plan import Group
from harness.running.deployment import Deployment, Report, deployed
from harness.running.register import Register
from harness.running.settings import Settings
from harness.running.studio import Studio
from harness.running.trial import Rig


@asynccontextmanager
async def rigged(group: Group, settings: Settings, report: Report) -> AsyncIterator[tuple[Rig, Deployment]]:
    """Start flags and target, prove the group's combinations, and end it all afterwards.

    Whoever believes a trial asks `Deployment.watch` to confirm the flags after its end. Raises UsageError when the
    target does not answer, FlagError when its flags cannot be proved.
    """
    register = Register()
    studio = Studio(register, seed=settings.seed)
    try:
        async with deployed(group, settings, register, report) as deployment:
            yield Rig(deployment.target, group.plan.catalogue, register, studio, thorough=False), deployment
    finally:
        studio.close()
