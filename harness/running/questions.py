"""The oracle asks its questions, after the story and at its checkpoints: every list, what it holds, every surface."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from harness.errors import TargetError
from harness.ledger import Action, Ledger, Outcome
from harness.model import Recording
from harness.provenance import Provenance, derive
from harness.running.sight import Sight
from harness.running.survey import Survey
from harness.scenario import REPLAY_LIST, Actor, Stage, Visit

MAX_FOREIGN_OPENED = 12
MAX_OWN_OPENED = 500


async def ask_all(actors: Sequence[Actor], stage: Stage, survey: Survey, nobody: Sequence[Actor] = ()) -> None:
    """Ask everything that the checks judge by; each answer, refusal and silence goes into the ledger.

    First what the target says was recorded in each visit, asked by its patient; then every actor's replay list, opened
    entry by entry, and every surface of their own; then each reference that an actor may not have, tried directly, by
    `nobody` as well. Where replays are closed everybody also tries their own. Last the lists once more: a cache may
    leak from the second reading on. Errors of the target end up in the ledger, not here.
    """
    await asyncio.gather(*(_ask_recordings(visit) for visit in stage.visits if visit.consultation))
    await asyncio.gather(*(_read_replays(actor, stage, survey.sight) for actor in actors))
    await asyncio.gather(*(survey.own(actor, actors) for actor in actors))
    await asyncio.gather(*(survey.foreign(actor) for actor in (*actors, *nobody)))
    await asyncio.gather(*(_read_replays(actor, stage, survey.sight) for actor in actors))


async def _ask_recordings(visit: Visit) -> None:
    # Both here and below: an error of the target is in the ledger, where the checks judge it.
    with suppress(TargetError):
        await visit.recorded()


async def _read_replays(actor: Actor, stage: Stage, sight: Sight) -> None:
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
        await sight.open(actor, recording.ref, REPLAY_LIST)


def _opened_by(viewer: str, ledger: Ledger) -> set[str]:
    """Return what a viewer has opened from the replay list, with whatever success: it need not be opened again."""
    return {
        entry.data["recording"]
        for entry in ledger.of(Action.OPEN, Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN)
        if entry.actor == viewer and not entry.data["direct"] and entry.data["surface"] == REPLAY_LIST
    }


def _is_own(viewer: str, recording: str, provenance: Provenance) -> bool:
    visit = provenance.visit_of(recording)
    return bool(visit and provenance.may_see(viewer, visit))
