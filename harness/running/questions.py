"""After the story the oracle asks its questions: every actor's list, what it holds, every foreign reference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from harness.errors import TargetError
from harness.ledger import Action, Ledger, Outcome
from harness.model import Recording
from harness.provenance import Provenance, derive, references
from harness.running.evidence import hold
from harness.scenario import REPLAY_LIST, Actor, Stage, Visit

REPLAY_MEDIA = "replay-media"
MAX_FOREIGN_OPENED = 12
MAX_OWN_OPENED = 500

Look = Callable[[bytes], Awaitable[Mapping[str, Any]]]


async def ask_all(actors: Sequence[Actor], stage: Stage, look: Look) -> None:
    """Ask everything that the checks judge by; each answer, refusal and silence goes into the ledger.

    First what the target says was recorded in each visit, asked by its patient; then every actor's
    replay list, opened entry by entry; then each reference that an actor may not have, tried directly. Where
    replays are off everybody also tries their own. Last the lists once more: a cache may leak from the second
    reading on. Errors of the target end up in the ledger, not here.
    """
    await asyncio.gather(*(_ask_recordings(visit) for visit in stage.visits if visit.consultation))
    await asyncio.gather(*(_read_replays(actor, stage, look) for actor in actors))
    await asyncio.gather(*(_try_directly(actor, stage, look) for actor in actors))
    await asyncio.gather(*(_read_replays(actor, stage, look) for actor in actors))


async def _ask_recordings(visit: Visit) -> None:
    # Both here and below: an error of the target is in the ledger, where the checks judge it.
    with suppress(TargetError):
        await visit.recorded()


async def _read_replays(actor: Actor, stage: Stage, look: Look) -> None:
    known = _opened_by(actor.name, stage.ledger)
    recordings: Sequence[Recording] = ()
    with suppress(TargetError):
        recordings = await actor.replays()
    provenance = derive(stage.ledger)
    own: list[Recording] = []
    foreign: list[Recording] = []
    for recording in (each for each in recordings if each.ref not in known):
        visit = provenance.visit_of(recording.ref, recording.consultation)
        (own if visit and provenance.may_see(actor.name, visit) else foreign).append(recording)
    foreign.sort(key=lambda recording: provenance.visit_of(recording.ref, recording.consultation) is None)
    met = sum(1 for ref in known if not _is_own(actor.name, ref, provenance))
    for recording in own[:MAX_OWN_OPENED] + foreign[: max(0, MAX_FOREIGN_OPENED - met)]:
        await _open(actor, recording.ref, REPLAY_LIST, look, direct=False)


async def _try_directly(actor: Actor, stage: Stage, look: Look) -> None:
    provenance = derive(stage.ledger)
    listed = _listed_by(actor.name, stage.ledger)
    for recording, visit in references(stage.ledger, provenance).items():
        own = provenance.may_see(actor.name, visit)
        if recording not in listed and not (own and provenance.replays_offered):
            await _open(actor, recording, REPLAY_MEDIA, look, direct=True)


def _opened_by(viewer: str, ledger: Ledger) -> set[str]:
    """Return what a viewer has opened from a list, with whatever success: it need not be opened again."""
    return {
        entry.data["recording"]
        for entry in ledger.of(Action.OPEN, Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN)
        if entry.actor == viewer and not entry.data["direct"]
    }


def _is_own(viewer: str, recording: str, provenance: Provenance) -> bool:
    visit = provenance.visit_of(recording)
    return bool(visit and provenance.may_see(viewer, visit))


def _listed_by(viewer: str, ledger: Ledger) -> set[str]:
    return {
        item["recording"] for entry in ledger.of(Action.LIST) if entry.actor == viewer for item in entry.data["items"]
    }


async def _open(actor: Actor, recording: str, surface: str, look: Look, *, direct: bool) -> None:
    asked = {"surface": surface, "recording": recording, "direct": direct}
    with suppress(TargetError), actor.recorded(Action.OPEN, **asked) as result:
        data = await actor.driver.open(recording)
        result.data.update(await look(data))
        hold(actor.stage, actor.name, result.data, data)
