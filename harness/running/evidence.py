"""What is kept of a trial that is not valid: what its drivers saw, and the media that leaked.

DIR/evidence/TRIAL/NAME.png, NAME.trace.zip, NAME.har   each actor's page, of drivers that have eyes
DIR/evidence/TRIAL/leak.webm, leak.png                  of the first leak of each scenario: the media, a frame of it

Evidence must not become a second breach: media is kept only when all of it carries canaries of ours.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.drivers.base import KeepsEvidence
from harness.ledger import HARNESS, Action, Ledger, Outcome
from harness.media.frames import marked_frame
from harness.model import Finding, Trial, Verdict
from harness.oracle import judge
from harness.provenance import READ, derive
from harness.scenario import Actor, Stage

MAX_TRIALS = 20
"""Of invalid trials, and as many unknown ones: a leak that shows in every trial is evident from a few of them, and a
browser's evidence is a megabyte a trial."""
MAX_HELD = 4
MAX_HELD_BYTES = 32 * 1024 * 1024
DEADLINE_S = 30.0
SUFFIXES = ((b"\x1aE\xdf\xa3", 0, ".webm"), (b"ftyp", 4, ".mp4"), (b"OggS", 0, ".ogg"), (b"\x89PNG", 0, ".png"))


@dataclass(slots=True)
class Evidence:
    """Keeps the evidence of a run in its directory, which is made when there is something to keep."""

    path: Path
    _trials: Counter[Verdict] = field(default_factory=Counter)
    _leaked: set[str] = field(default_factory=set)

    async def keep(self, trial: Trial, actors: Sequence[Actor], stage: Stage) -> None:
        """Keep what there is of a trial that does not look valid; its drivers are still open."""
        ledger = Ledger(entries=stage.ledger)
        ledger.note(HARNESS, Action.FLAGS)
        judgement = judge(ledger)
        if judgement.verdict is Verdict.VALID or self._trials[judgement.verdict] >= MAX_TRIALS:
            return
        self._trials[judgement.verdict] += 1
        try:
            await self._keep(trial, actors, stage, judgement.findings)
        except OSError as error:  # a full disk: the verdict stands in the ledger, and says what was not kept
            ledger = stage.ledger
            ledger.note(HARNESS, Action.EVIDENCE, Outcome.FAIL, error=f"{type(error).__name__}: {error}")

    async def _keep(self, trial: Trial, actors: Sequence[Actor], stage: Stage, findings: Sequence[Finding]) -> None:
        place = self.path / trial.id
        place.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(*(_see(actor, place) for actor in actors if isinstance(actor.driver, KeepsEvidence)))
        leak = next(_leaks(findings, stage), None)
        if leak and trial.scenario not in self._leaked:
            self._leaked.add(trial.scenario)
            await asyncio.to_thread(_write, place, *leak)
        if not any(place.iterdir()):
            place.rmdir()


def hold(stage: Stage, viewer: str, opened: Mapping[str, Any], data: bytes) -> None:
    """Hold opened media for as long as the trial lasts if it may turn out to be the evidence of a leak."""
    content = opened["content"]
    if content["outcome"] != READ or len(stage.held) >= MAX_HELD:
        return
    provenance = derive(stage.ledger)
    owners = [provenance.emissions.get(int(sighting["value"])) for sighting in content["canaries"]]
    is_own = all(owner and provenance.may_see(viewer, owner.visit) for owner in owners)
    if not is_own and sum(map(len, stage.held.values())) + len(data) <= MAX_HELD_BYTES:
        stage.held[opened["sha256"]] = data


async def _see(actor: Actor, place: Path) -> None:
    """Let a driver keep what it saw; why it could not is kept in its place."""
    driver = actor.driver
    if not isinstance(driver, KeepsEvidence):
        return
    try:
        async with asyncio.timeout(DEADLINE_S):
            await driver.keep_evidence(place)
    except Exception as error:  # noqa: BLE001 - an adapter is foreign code, and evidence must not change a verdict
        (place / f"{actor.name}.missing.txt").write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")


def _leaks(findings: Sequence[Finding], stage: Stage) -> Iterator[tuple[bytes, int]]:
    """Yield media that a proved finding stands on, with the foreign canary in it."""
    ledger = stage.ledger
    provenance = derive(ledger)
    for finding in findings:
        if finding.verdict is not Verdict.INVALID or finding.degree != "proved":
            continue
        for entry in (ledger[seq] for seq in finding.evidence):
            data = stage.held.get(str(entry.data.get("sha256"))) if entry.action is Action.OPEN else None
            for sighting in entry.data["content"]["canaries"] if data else ():
                owner = provenance.emissions.get(int(sighting["value"]))
                if data and not (owner and provenance.may_see(entry.actor, owner.visit)):
                    yield data, int(sighting["value"])


def _write(place: Path, data: bytes, payload: int) -> None:
    suffix = next((suffix for mark, at, suffix in SUFFIXES if data[at : at + len(mark)] == mark), ".bin")
    (place / f"leak{suffix}").write_bytes(data)
    frame = marked_frame(data, payload)
    if frame:
        (place / "leak.png").write_bytes(frame)
