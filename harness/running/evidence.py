"""What is kept of a trial that is not valid: what its drivers saw, and the media that leaked.

DIR/evidence/TRIAL/NAME.png, NAME.trace.zip, NAME.har   each actor's page, of drivers that have eyes
DIR/evidence/TRIAL/leak.webm, leak.png, leak.txt        of one leak of each scenario, that of the trial which is shown
                                                        first: the media, a frame of it, and whose it is
DIR/evidence/TRIAL/leak-sound.png                       beside it, where the canary is heard: the spectrogram

Evidence must not become a second breach: media is kept only when all of it carries canaries of ours.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.checks import LEAKS
from harness.drivers.base import keeps_evidence
from harness.ledger import HARNESS, Action, Ledger, Outcome
from harness.media.frames import marked_frame
from harness.media.spectrogram import spectrogram
from harness.model import Finding, Trial, Verdict
from harness.oracle import judge
from harness.provenance import READ, Provenance, derive
from harness.redact import plain
from harness.running.rank import as_told, rank
from harness.scenario import Actor, Stage

MAX_TRIALS = 20
"""Of invalid trials, and as many unknown ones: a leak that shows in every trial is evident from a few of them, and a
browser's evidence is a megabyte a trial."""
LEAK = "leak"
"""How the files are called in which leaked media is kept."""
MAX_HELD = 4
MAX_HELD_BYTES = 32 * 1024 * 1024
DEADLINE_S = 30.0
SUFFIXES = (
    (b"\x1aE\xdf\xa3", 0, ".webm"),
    (b"ftyp", 4, ".mp4"),
    (b"OggS", 0, ".ogg"),
    (b"WAVE", 8, ".wav"),
    (b"\x89PNG", 0, ".picture.png"),
    (b"\xff\xd8\xff", 0, ".jpg"),
    (b"WEBP", 8, ".webp"),
    (b"PK\x03\x04", 0, ".zip"),
)


Standing = tuple[tuple[int, int], int]
"""A trial's rank and its place in the plan: what stands lower is shown first."""


@dataclass(frozen=True, slots=True)
class _Leak:
    """Media that a finding proves to be foreign, and the foreign canary in it."""

    finding: Finding
    data: bytes
    payload: int


@dataclass(slots=True)
class Evidence:
    """Keeps the evidence of a run in its directory, which is made when there is something to keep.

    `places` says where each trial stands in the plan: of the leaks of a scenario the media of one is kept, of that
    trial which is shown first, however the trials happen to end.
    """

    path: Path
    places: Mapping[str, int] = field(default_factory=dict)
    _trials: Counter[Verdict] = field(default_factory=Counter)
    _kept: dict[str, tuple[Standing, Path]] = field(default_factory=dict)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def keep(self, trial: Trial, actors: Sequence[Actor], stage: Stage) -> None:
        """Keep what there is of a trial that does not look valid; its drivers are still open."""
        ledger = Ledger(entries=stage.ledger)
        ledger.note(HARNESS, Action.FLAGS)
        judgement = judge(ledger)
        if judgement.verdict is Verdict.VALID:
            return
        stands = rank(judgement.findings), self.places.get(trial.id, len(self.places))
        leak = next(_leaks(judgement.findings, stage), None)
        if leak and trial.scenario in self._kept and self._kept[trial.scenario][0] <= stands:
            leak = None
        if self._trials[judgement.verdict] >= MAX_TRIALS and leak is None:
            return
        self._trials[judgement.verdict] += 1
        try:
            place = self.path / trial.id
            place.mkdir(parents=True, exist_ok=True)
            await asyncio.gather(*(_see(actor, place, _foreign_to(actor, judgement.findings)) for actor in actors))
            if leak:
                await self._keep(leak, trial.scenario, stands, place)
            if not any(place.iterdir()):
                place.rmdir()
        except OSError as error:  # a full disk: the verdict stands in the ledger, and says what was not kept
            stage.ledger.note(HARNESS, Action.EVIDENCE, Outcome.FAIL, error=f"{type(error).__name__}: {error}")

    async def _keep(self, leak: _Leak, scenario: str, stands: Standing, place: Path) -> None:
        """Keep leaked media in place of that of a trial which is shown later; what stands before it stays."""
        async with self._writing:
            earlier = self._kept.get(scenario)
            if earlier and earlier[0] <= stands:
                return
            await asyncio.to_thread(_write, place, leak)
            self._kept[scenario] = stands, place
            if earlier:
                for file in earlier[1].glob(f"{LEAK}[.-]*"):
                    file.unlink()
                if not any(earlier[1].iterdir()):
                    earlier[1].rmdir()


def hold(stage: Stage, viewer: str, opened: Mapping[str, Any], data: bytes) -> None:
    """Hold opened media for as long as the trial lasts if it may turn out to be the evidence of a leak."""
    content = opened["content"]
    if content["outcome"] != READ:
        return
    provenance = derive(stage.ledger)
    owners = [provenance.emissions.get(int(sighting["value"])) for sighting in content["canaries"]]
    if all(owner and provenance.may_see(viewer, owner.visit) for owner in owners):
        return
    if any(owner and not provenance.may_see(viewer, owner.visit) for owner in owners):
        _make_room(stage, provenance, len(data))
    if len(stage.held) < MAX_HELD and sum(map(len, stage.held.values())) + len(data) <= MAX_HELD_BYTES:
        stage.held[opened["sha256"]] = data


def _make_room(stage: Stage, provenance: Provenance, size_bytes: int) -> None:
    """Let go of as much of other trials' media as must be for this trial's own, which playing it again shows."""
    for entry in stage.ledger.of(Action.OPEN, Outcome.OK):
        if len(stage.held) < MAX_HELD and sum(map(len, stage.held.values())) + size_bytes <= MAX_HELD_BYTES:
            return
        if not any(int(sighting["value"]) in provenance.emissions for sighting in entry.data["content"]["canaries"]):
            stage.held.pop(str(entry.data.get("sha256")), None)


async def _see(actor: Actor, place: Path, foreign: Collection[str]) -> None:
    """Let a driver that has eyes keep what it saw; why it could not is kept in its place."""
    driver = actor.driver
    if not keeps_evidence(driver):
        return
    try:
        async with asyncio.timeout(DEADLINE_S):
            await driver.keep_evidence(place, foreign)
    except Exception as error:  # noqa: BLE001 - an adapter is foreign code, and evidence must not change a verdict
        said = plain(f"{type(error).__name__}: {error}\n")
        (place / f"{actor.name}.missing.txt").write_text(said, encoding="utf-8", errors="replace")


def _foreign_to(actor: Actor, findings: Sequence[Finding]) -> Collection[str]:
    """Return the recordings that are somebody else's and that an actor met: of a list that leaks, all but their own."""
    found = [each for each in findings if each.viewer == actor.name and each.check in LEAKS]
    met = {each.recording for each in found if each.recording and each.verdict is Verdict.INVALID}
    if not met:
        return met
    ledger = actor.stage.ledger
    provenance = derive(ledger)
    for entry in (each for each in ledger.of(Action.LIST) if each.actor == actor.name):
        for item in entry.data["items"]:
            visit = provenance.visit_of(item["recording"], item["consultation"])
            if not (visit and provenance.may_see(actor.name, visit)):
                met.add(item["recording"])
    return met


def _leaks(findings: Sequence[Finding], stage: Stage) -> Iterator[_Leak]:
    """Yield media that a proved finding stands on, what the trial shows by itself before what is other trials'."""
    ledger = stage.ledger
    provenance = derive(ledger)
    for finding in as_told(findings):
        if finding.verdict is not Verdict.INVALID or finding.degree != "proved":
            continue
        for entry in (ledger[seq] for seq in finding.evidence):
            data = stage.held.get(str(entry.data.get("sha256"))) if entry.action is Action.OPEN else None
            for sighting in entry.data["content"]["canaries"] if data else ():
                owner = provenance.emissions.get(int(sighting["value"]))
                if data and not (owner and provenance.may_see(entry.actor, owner.visit)):
                    yield _Leak(finding, data, int(sighting["value"]))


def _write(place: Path, leak: _Leak) -> None:
    data = leak.data
    suffix = next((suffix for mark, at, suffix in SUFFIXES if data[at : at + len(mark)] == mark), ".bin")
    (place / f"{LEAK}{suffix}").write_bytes(data)
    (place / f"{LEAK}.txt").write_text(f"{leak.finding.sentence}\n", encoding="utf-8")
    frame = marked_frame(data, leak.payload)
    if frame:
        (place / f"{LEAK}.png").write_bytes(frame)
    heard = spectrogram(data, leak.payload)
    if heard:
        (place / f"{LEAK}-sound.png").write_bytes(heard)
