"""The control: one trial of every run in which a known foreign item is slipped into a list.

If the oracle does not find it, the run is unknown: an instrument that is not seen to work proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from harness.drivers.base import Clip, Driver
from harness.errors import TargetError
from harness.ledger import Ledger
from harness.model import Combination, Recording, Trial
from harness.oracle import judge
from harness.provenance import derive
from harness.running.trial import Rig, perform
from harness.scenario import Actor, Scenario

PLANTED = "planted-by-the-control"


@dataclass(frozen=True, slots=True)
class Control:
    """Whether the oracle found what was planted, and in words what it said."""

    found: bool
    sentence: str


class SlippedIn:
    """A driver at whose boundary a foreign recording is added to the replay list; all else is the real one's."""

    def __init__(self, real: Driver, clip: Clip) -> None:
        self._real = real
        self._clip = clip

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def replays(self) -> Sequence[Recording]:
        """Return the real list and the planted item; the planted item alone where the list is refused."""
        planted = Recording(PLANTED, PLANTED, "video")
        try:
            return [*await self._real.replays(), planted]
        except TargetError as error:
            if not error.definite:
                raise
            return [planted]

    async def open(self, recording: str) -> bytes:
        """Return the planted clip for the planted item."""
        return self._clip.data if recording == PLANTED else await self._real.open(recording)


async def control(scenario: Scenario, combination: Combination, seed: int, rig: Rig, ledger: Ledger) -> Control:
    """Play a scenario with a stranger's video planted in the first actor's list, and say whether it was found."""
    trial = Trial(f"control of {scenario.name}", combination, seed)
    stranger = rig.register.enrol(trial.id, "stranger")
    _, clip = await rig.studio.film(stranger, 0, "video")
    victim = scenario.cast[0][0]

    def hands(actor: Actor) -> Driver:
        return cast("Driver", SlippedIn(actor.driver, clip)) if actor.name == victim else actor.driver

    await perform(trial, scenario, replace(rig, evidence=None), ledger, hands=hands)
    return found_in(ledger)


def found_in(ledger: Ledger) -> Control:
    """Say whether the oracle finds the planted item in a control trial's ledger, as first actor's list had it."""
    victim = next(iter(derive(ledger).cast), "nobody")
    findings = judge(ledger).findings
    for finding in findings:
        if (
            finding.check == "foreign-media"
            and finding.recording == PLANTED
            and finding.viewer == victim
            and finding.degree == "proved"
        ):
            return Control(found=True, sentence=f"a foreign video slipped into {victim}'s list was found and proved")
    said = "; ".join(finding.sentence for finding in findings) or "nothing"
    return Control(
        found=False,
        sentence=f"a foreign video slipped into {victim}'s list was not found, so no list can be believed: {said}",
    )
