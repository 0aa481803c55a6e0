"""What may be held as evidence: media whose every canary is ours, and of which some is somebody else's."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from harness.drivers.base import Driver
from harness.ledger import Action, Outcome
from harness.media import audio, video
from harness.media.clips import clip, webm
from harness.model import Combination, Trial
from harness.running.evidence import MAX_HELD, MAX_HELD_BYTES, MAX_TRIALS, Evidence, hold
from harness.running.register import Register
from harness.running.studio import Studio
from harness.scenario import Actor, Patient, Stage
from tests.checks.stories import canary, item, story


def stage() -> Stage:
    """Return a stage on which Alice took part in a visit, and Bob in another."""
    told = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1")
    told = told.books("bob", "visit-2").joins("bob", "visit-2").emits("bob", "visit-2")
    register = Register(1)
    return Stage("trial", told.ledger(), Studio(register, seed=0), register)


def opened(*values: str, outcome: str = "canaries", sha256: str = "digest") -> Mapping[str, Any]:
    """Return what the ledger keeps of media with these canaries."""
    canaries = [{"value": value, "owner": "somebody", "track": "video"} for value in values]
    return {"sha256": sha256, "content": {"outcome": outcome, "canaries": canaries}}


@pytest.mark.parametrize(
    ("what", "is_held"),
    [
        (opened(canary("alice", "visit-1")), False),
        (opened(canary("bob", "visit-2")), True),
        (opened(canary("alice", "visit-1"), canary("bob", "visit-2")), True),
        (opened("12345678901234567890"), True),
        (opened(outcome="no-canary"), False),
        (opened(canary("bob", "visit-2"), outcome="unknown-tag"), False),
        (opened(canary("bob", "visit-2"), outcome="partial"), False),
    ],
)
def test_only_foreign_media_of_ours_is_held(what: Mapping[str, Any], *, is_held: bool) -> None:
    """One's own is no evidence, and what is not wholly read may be a real person's."""
    where = stage()
    hold(where, "alice", what, b"media")
    assert bool(where.held) is is_held


def test_no_more_is_held_than_the_limit() -> None:
    """A list that leaks everything fills no memory."""
    where = stage()
    for number in range(10 * MAX_HELD):
        hold(where, "alice", opened(canary("bob", "visit-2"), sha256=str(number)), b"media")
    assert len(where.held) == MAX_HELD


def test_no_more_bytes_are_held_than_the_limit() -> None:
    """Two films of more than half of what may be held are one too many."""
    where = stage()
    for number in range(2):
        hold(where, "alice", opened(canary("bob", "visit-2"), sha256=str(number)), bytes(MAX_HELD_BYTES // 2 + 1))
    assert list(where.held) == ["0"]


def test_other_trials_media_gives_way_to_the_trials_own() -> None:
    """What playing the trial again shows is held, also when a long list of others' media was opened before it."""
    register = Register(1)
    told = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1")
    told = told.books("bob", "visit-2").joins("bob", "visit-2").emits("bob", "visit-2")
    for number in range(MAX_HELD):
        told = told.opens("alice", f"rec-{number}", f"{number:020d}")
    where = Stage("trial", told.ledger(), Studio(register, seed=0), register)
    others = [f"digest of {number}" for number in range(MAX_HELD)]
    for entry, digest in zip(where.ledger.of(Action.OPEN), others, strict=True):
        cast("dict[str, str]", entry.data)["sha256"] = digest
    where.held = dict.fromkeys(others, b"media")
    hold(where, "alice", opened(f"{9:020d}", sha256="one more"), b"media")
    assert list(where.held) == others
    hold(where, "alice", opened(canary("bob", "visit-2")), b"media")
    assert list(where.held) == [*others[1:], "digest"]


def test_a_disk_that_takes_nothing_is_told_in_the_ledger_and_ends_nothing(tmp_path: Path) -> None:
    """Where evidence should lie there is a file: nothing can be kept, and why stands beside the verdict."""
    where, place = stage(), tmp_path / "evidence"
    place.write_text("in the way")
    asyncio.run(Evidence(place).keep(Trial("story", Combination(())), [], where))
    (told,) = where.ledger.of(Action.EVIDENCE, Outcome.FAIL)
    assert "NotADirectoryError" in told.data["error"]


class Blind:
    """A driver that can keep no evidence, and says why; nothing else of a driver is asked for."""

    async def keep_evidence(self, directory: Path, _foreign: Collection[str]) -> None:
        """Fail."""
        raise OSError(f"no screenshot into {directory.name}")


def test_why_a_driver_could_keep_nothing_is_kept_in_its_place(tmp_path: Path) -> None:
    """An error while keeping evidence neither ends the trial nor is lost, and only so many trials are kept."""
    where = stage()
    actor: Actor = Patient("alice", 0, "alice", cast("Driver", Blind()), where)
    kept = Evidence(tmp_path / "evidence")
    trials = [Trial(f"story {number}", Combination(())) for number in range(MAX_TRIALS + 5)]
    for trial in trials:
        asyncio.run(kept.keep(trial, [actor], where))
    said = tmp_path / "evidence" / trials[0].id / "alice.missing.txt"
    assert said.read_text() == f"OSError: no screenshot into {trials[0].id}\n"
    assert len(list((tmp_path / "evidence").iterdir())) == MAX_TRIALS


def test_a_clip_is_shown_live_as_it_was_filmed() -> None:
    """The camera's rows are the code's, and sound alone has none."""
    register = Register(1)
    filmed = clip(register.canary(4, 0, 1), "video").live()
    assert len(filmed.modules) == len(filmed.modules[0]) == 25
    assert len(filmed.pcm) == 2 * 0.8 * filmed.rate_hz
    assert clip(register.canary(4, 0, 0), "audio").live().modules == ()


def leaking() -> Stage:
    """Return a stage on which Alice was served what Bob emitted in his own visit."""
    told = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1")
    told = told.books("bob", "visit-2").joins("bob", "visit-2").emits("bob", "visit-2")
    register = Register(1)
    seen = told.lists("alice", item("rec-2")).opens("alice", "rec-2", canary("bob", "visit-2"))
    where = Stage("trial", seen.ledger(), Studio(register, seed=0), register)
    where.held = {str(entry.data["sha256"]): b"bob's media" for entry in where.ledger.of(Action.OPEN)}
    return where


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_media_of_that_trial_is_kept_which_is_shown(tmp_path: Path, order: tuple[int, ...]) -> None:
    """However trials happen to end, the leak of the plan's first is kept, and no other of its scenario."""
    trials = [Trial("story", Combination((("flag", variant),))) for variant in ("a", "b", "c")]
    kept = Evidence(tmp_path, {trial.id: number for number, trial in enumerate(trials)})
    for number in order:
        asyncio.run(kept.keep(trials[number], [], leaking()))
    assert sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("leak.*")) == [
        Path(trials[0].id, "leak.bin"),
        Path(trials[0].id, "leak.txt"),
    ]
    assert [place.name for place in tmp_path.iterdir()] == [trials[0].id]


def test_a_leak_is_kept_as_it_is_seen_and_heard(tmp_path: Path) -> None:
    """Beside the media lie a frame and a spectrogram, of what is to be seen and of what is to be heard."""
    whose = int(canary("bob", "visit-2"))
    pictures = video.frames(whose, 5, width=160, height=128)
    sound = audio.synthesise(whose, 0, duration_s=1.0, rate_hz=16_000)
    for name, media, files in (
        ("film", webm(pictures, sound), {"leak.webm", "leak.txt", "leak.png", "leak-sound.png"}),
        ("mute", webm(pictures, None), {"leak.webm", "leak.txt", "leak.png"}),
        ("sound", webm(None, sound), {"leak.webm", "leak.txt", "leak-sound.png"}),
    ):
        where = leaking()
        where.held = dict.fromkeys(where.held, media)
        trial = Trial(name, Combination(()))
        asyncio.run(Evidence(tmp_path).keep(trial, [], where))
        assert {file.name for file in (tmp_path / trial.id).iterdir()} == files


def test_a_spectrogram_gives_way_with_its_leak(tmp_path: Path) -> None:
    """When a trial that is shown first leaks later, nothing of the other's media is left."""
    sound = webm(None, audio.synthesise(int(canary("bob", "visit-2")), 0, duration_s=1.0, rate_hz=16_000))
    trials = [Trial("story", Combination((("flag", variant),))) for variant in ("a", "b")]
    kept = Evidence(tmp_path, {trial.id: number for number, trial in enumerate(trials)})
    for trial in reversed(trials):
        where = leaking()
        where.held = dict.fromkeys(where.held, sound)
        asyncio.run(kept.keep(trial, [], where))
    assert [place.name for place in tmp_path.iterdir()] == [trials[0].id]


class Shown:
    """A driver that remembers what it was told to mark; nothing else of a driver is asked for."""

    def __init__(self) -> None:
        self.foreign: Collection[str] = ()

    async def keep_evidence(self, _: Path, foreign: Collection[str]) -> None:
        """Remember."""
        self.foreign = foreign


def test_of_a_leaking_list_all_is_marked_that_is_not_its_readers(tmp_path: Path) -> None:
    """Entries that nobody had the time to open are somebody else's as well; who met nothing has nothing marked."""
    where = leaking()
    told = Stage("trial", where.ledger, where.camera, where.registry)
    asked = told.ledger.intend("alice", Action.LIST, surface="replay-list")
    items = [item("rec-1", "con-1"), item("rec-2"), item("rec-3", "con-9", "visit-1 of trial 0badcafe"), item("rec-4")]
    told.ledger.conclude(asked, Outcome.OK, items=items)
    drivers = {name: Shown() for name in ("alice", "bob")}
    actors: list[Actor] = [Patient(name, 0, name, cast("Driver", driver), told) for name, driver in drivers.items()]
    asyncio.run(Evidence(tmp_path).keep(Trial("story", Combination(())), actors, told))
    assert set(drivers["alice"].foreign) == {"rec-2", "rec-3", "rec-4"}
    assert set(drivers["bob"].foreign) == set()
