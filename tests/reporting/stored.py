"""Stored runs for the report: two flags, four combinations, and in every cell a trial that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.canary import Canary, pack
from harness.ledger import Ledger
from harness.media import clips, frames
from harness.model import Catalogue, Combination, Flag, Trial
from harness.planning.exhaustive import exhaustive
from harness.running.control import PLANTED
from harness.running.settings import Settings
from harness.running.store import Store
from tests.checks.stories import canary, item, sound, story

CATALOGUE = Catalogue((Flag("replay-cache"), Flag("video-upgrade")), source="flags/two.toml")
PLAN = exhaustive(CATALOGUE, ["two_visits", "one_more"], 7)

Cell = Callable[[Trial], Ledger | None]


def clean(_trial: Trial) -> Ledger | None:
    """Play a good trial."""
    return sound().closed()


def leaking(trial: Trial) -> Ledger | None:
    """Leak Bob's video to Alice when both flags are on."""
    return leaked() if set(trial.combination.values()) == {"on"} else clean(trial)


def leaked() -> Ledger:
    """Return a trial in which Alice's list held Bob's recording, and she opened it."""
    told = sound().lists("alice", item("rec-1"), item("rec-2"))
    return told.opens("alice", "rec-2", canary("bob", "visit-2"), canary("chen", "visit-2")).closed()


def planted() -> Ledger:
    """Return a control trial in which a stranger's video stood in Alice's list, and was opened."""
    told = sound().lists("alice", item("rec-1"), item(PLANTED, PLANTED))
    return told.opens("alice", PLANTED, f"{7:020d}").closed()


def broken() -> Ledger:
    """Return a trial in which the scenario's own assertion failed, all else being well."""
    told = story().proves("alice", "bob", "chen").holds("alice", "visit-1")
    told.told("story.py:7: assert 1 == 2", assertion=True).records("alice", "visit-1", "rec-1")
    told.lists("alice", item("rec-1")).lists("bob").lists("chen", item("rec-1"))
    for viewer in ("alice", "chen"):
        told.opens(viewer, "rec-1", canary("alice", "visit-1"), canary("chen", "visit-1"))
    return told.tries("bob", "rec-1").closed()


def store(out: Path, cell: Cell = clean, *, control: bool = True, settings: Settings | None = None) -> Path:
    """Write a run's directory with the cells' ledgers, the summary left out, and return it."""
    with Store.create(out, PLAN, settings or Settings(out=out, seed=7)):
        for trial in PLAN.trials:
            ledger = cell(trial)
            if ledger is not None:
                write(out / "ledgers" / f"{trial.id}.jsonl", ledger, trial)
        if control:
            write(out / "control.jsonl", planted(), PLAN.trials[0])
    return out


def write(file: Path, ledger: Ledger, trial: Trial) -> None:
    """Write a ledger as this trial's."""
    rows = [json.loads(entry.as_json()) for entry in ledger]
    rows[0]["data"] |= {"trial": trial.id, "scenario": trial.scenario, "combination": dict(trial.combination)}
    for row in rows:
        if "wanted" in row["data"]:
            row["data"]["wanted"] = dict(trial.combination)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def keep_leak(out: Path, trial: Trial) -> None:
    """Keep a film and a frame of it as the evidence of a trial."""
    whose = Canary(1, 2, 1, 1)
    film = clips.clip(whose, "video").data
    place = out / "evidence" / trial.id
    place.mkdir(parents=True)
    (place / "leak.webm").write_bytes(film)
    (place / "leak.png").write_bytes(frames.marked_frame(film, pack(whose)) or b"")


def trial_with(*on: str, scenario: str = "two_visits") -> Trial:
    """Return the cell in which these flags are on, and no others."""
    values = tuple((flag.name, "on" if flag.name in on else "off") for flag in CATALOGUE.flags)
    return Trial(scenario, Combination(values), 7)
