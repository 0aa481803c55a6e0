"""A visit: a booked consultation and the call that it becomes, with the verbs of those who are in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from harness.canary import CALL_BITS
from harness.drivers.verbs import takes_captions
from harness.errors import TargetError, UsageError
from harness.ledger import Action
from harness.model import Medium, Recording
from harness.scenario.actor import Actor, Stage

CALLS_PER_TRIAL = 1 << CALL_BITS
"""As many as a canary can number."""


@dataclass(slots=True, eq=False)
class Visit:
    """A booked consultation and the call that it becomes."""

    name: str
    call: int
    medium: Medium
    stage: Stage
    patient: Actor
    consultation: str = ""

    async def hold(self, *actors: Actor, switch_to: Medium | None = None) -> None:
        """Hold the whole call: all join and are recorded, the first may switch the medium, all leave.

        A target that does not offer the switch under the trial's flags refuses it; the call then goes on as
        it was. Whether the refusal was right is the oracle's to say.
        """
        if not actors:
            raise UsageError(f"{self.name}.hold() needs the actors who take part")
        for actor in actors:
            await self.join(actor)
        await asyncio.gather(*(self.emit(actor) for actor in actors))
        if switch_to and await self.switch(actors[0], switch_to):
            await asyncio.gather(*(self.emit(actor) for actor in actors))
        for actor in actors[:-1]:
            await self.leave(actor)
        await self.end(actors[-1])

    async def join(self, actor: Actor) -> None:
        """Let the actor enter the call."""
        with actor.recorded(Action.JOIN, visit=self.name):
            await actor.driver.join(self.consultation)

    async def emit(self, actor: Actor) -> None:
        """Let the actor be seen and heard for a moment: media that carries the actor's canary, and a caption."""
        with ExitStack() as both:
            caption = ""
            if takes_captions(actor.driver):
                caption = both.enter_context(actor.writing("note", self.call, visit=self.name))
            canary, clip = await self.stage.camera.film(actor.number, self.call, self.medium, caption)
            both.enter_context(actor.recorded(Action.EMIT, visit=self.name, medium=self.medium, canary=canary))
            await actor.driver.send(self.consultation, self.medium, clip)

    async def switch(self, actor: Actor, medium: Medium) -> bool:
        """Let the actor change the medium; False when the target definitely refused."""
        try:
            with actor.recorded(Action.SWITCH, visit=self.name, medium=medium):
                await actor.driver.switch(self.consultation, medium)
        except TargetError as error:
            if not error.definite:
                raise
            return False
        self.medium = medium
        return True

    async def leave(self, actor: Actor) -> None:
        """Let the actor leave the call."""
        with actor.recorded(Action.LEAVE, visit=self.name):
            await actor.driver.leave(self.consultation)

    async def end(self, actor: Actor) -> None:
        """Let the actor end the call for everybody."""
        with actor.recorded(Action.END, visit=self.name):
            await actor.driver.end(self.consultation)

    async def recorded(self) -> Sequence[Recording]:
        """Wait, as its patient, until the target has finished all that was recorded here; return it.

        A replay list shows a recording only then. Raises TargetError when it is refused, or takes too long.
        """
        with self.patient.recorded(Action.RECORDINGS, visit=self.name) as result:
            recordings = await self.patient.driver.recordings(self.consultation)
            result.data["items"] = [{"recording": each.ref, "medium": each.medium} for each in recordings]
        return recordings
