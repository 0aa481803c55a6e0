"""The surfaces that a target declares beside the replay list, asked by everybody who may come there, and who may not.

One's own first: pages about oneself, what each own recording has, people whom one treats. Then what is somebody else's,
by every reference that is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from harness.drivers.surfaces import Surface, View, as_having_surfaces
from harness.entitlement import Item, closed_by, standing
from harness.errors import TargetError
from harness.ledger import Action, Ledger, Outcome
from harness.provenance import REPLAY_MEDIA, derive, references
from harness.running.evidence import hold
from harness.running.sight import Sight
from harness.scenario import Actor

MAX_REFERENCES = 64
"""Known recordings of a trial that are tried by everybody: a story that makes more is not looked at to its end."""
MAX_LISTED = 12
"""Foreign recordings of one list that are opened: the rest would add lines to a report and nothing to what it says."""


@dataclass(slots=True)
class Survey:
    """Asks for the actors of one trial, on all surfaces if `is_thorough`, otherwise for recordings' bytes alone.

    `links` are those given out: each with the recording and who asked for it.
    """

    sight: Sight
    is_thorough: bool = True
    links: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def own(self, actor: Actor, actors: Collection[Actor]) -> None:
        """Look at every surface of the actor's own: of themselves, of their recordings, of people whom they treat."""
        for surface in self._surfaces(actor):
            if surface.about == "oneself":
                await self._look(actor, surface)
            elif surface.about == "recording":
                for recording in list(_own(actor)):
                    if not _has_seen(actor, surface.name, recording):
                        await self._look(actor, surface, recording)
            elif surface.about == "person":
                for patient in (each for each in actors if derive(actor.stage.ledger).cast.get(each.name) == "patient"):
                    await self._look(actor, surface, patient.account, person=patient.name)
            else:
                for link, (recording, giver) in list(self.links.items()):
                    if giver == actor.name:
                        await self._look(actor, surface, link, recording=recording)

    async def foreign(self, actor: Actor) -> None:
        """Try every reference that the actor may not have now, on every surface that takes one; links, too."""
        for recording in foreign_to(actor):
            await self.sight.open(actor, recording, REPLAY_MEDIA, direct=True)
            for surface in self._surfaces(actor):
                if surface.about == "recording":
                    await self._look(actor, surface, recording, direct=True)
        foreign = set(foreign_to(actor))
        for surface in self._surfaces(actor):
            if surface.about == "link":
                for link, (recording, giver) in list(self.links.items()):
                    if giver != actor.name and recording in foreign:
                        await self._look(actor, surface, link, recording=recording, direct=True)

    def _surfaces(self, actor: Actor) -> tuple[Surface, ...]:
        return declared(actor) if self.is_thorough else ()

    async def _look(
        self,
        actor: Actor,
        surface: Surface,
        about: str = "",
        *,
        recording: str = "",
        person: str = "",
        direct: bool = False,
    ) -> None:
        """Ask once, and write down what came; a refusal and silence are in the ledger, where the checks judge them."""
        driver = as_having_surfaces(actor.driver)
        if driver is None:
            return
        of = recording or (about if surface.about == "recording" else "")
        action, asked = _asked(surface, of, person, direct=direct)
        view: View | None = None
        with suppress(TargetError), actor.recorded(action, **asked) as result:
            view = await driver.look(surface.name, about)
            result.data.update(await self.sight.view(view, actor))
            if view.media is not None:
                hold(actor.stage, actor.name, result.data, view.media)
        for link in view.links if view else ():
            self.links[link] = of, actor.name
        if view and view.recordings is not None:
            listed = [each.ref for each in view.recordings]
            for each in _unmet(actor, listed)[:MAX_LISTED]:
                await self.sight.open(actor, each, surface.name)


def declared(actor: Actor) -> tuple[Surface, ...]:
    """Return the surfaces that an actor's driver declares."""
    driver = as_having_surfaces(actor.driver)
    return tuple(driver.surfaces()) if driver else ()


def foreign_to(actor: Actor) -> list[str]:
    """Return the known recordings that an actor may not see now: others', what was revoked, all while it is closed."""
    ledger = actor.stage.ledger
    provenance = derive(ledger)
    now = len(ledger)
    closed = not provenance.replays_offered or closed_by(ledger, now, now) is not None
    return [
        recording
        for recording, visit in list(references(ledger, provenance).items())[:MAX_REFERENCES]
        if closed or standing(actor.name, _media(ledger, visit, recording), ledger) != "entitled"
    ]


def _asked(surface: Surface, recording: str, person: str, *, direct: bool) -> tuple[Action, dict[str, object]]:
    """Return as what a look stands in the ledger, and what was asked."""
    if surface.shows == "list":
        return Action.LIST, {"surface": surface.name}
    if surface.about in ("recording", "link") or surface.shows == "media":
        return Action.OPEN, {"surface": surface.name, "recording": recording, "direct": direct}
    return Action.READ, {"surface": surface.name, "about": person}


def _own(actor: Actor) -> Iterator[str]:
    """Yield the known recordings that an actor may see now."""
    ledger = actor.stage.ledger
    provenance = derive(ledger)
    for recording, visit in list(references(ledger, provenance).items())[:MAX_REFERENCES]:
        if standing(actor.name, _media(ledger, visit, recording), ledger) == "entitled":
            yield recording


def _media(ledger: Ledger, visit: str, recording: str) -> Item:
    now = len(ledger)
    return Item("media", derive(ledger).visits[visit].patient, visit, recording, asked=now, met=now)


def _has_seen(actor: Actor, surface: str, recording: str) -> bool:
    return any(
        entry.actor == actor.name and entry.data["surface"] == surface and entry.data["recording"] == recording
        for entry in actor.stage.ledger.of(Action.OPEN, Outcome.OK, Outcome.FAIL)
    )


def _unmet(actor: Actor, listed: Collection[str]) -> list[str]:
    """Return those of a list that are not the actor's own and were not opened from any list before."""
    own = set(_own(actor))
    opened = {
        entry.data["recording"]
        for entry in actor.stage.ledger.of(Action.OPEN, Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN)
        if entry.actor == actor.name and not entry.data["direct"]
    }
    return [each for each in listed if each not in own and each not in opened]
