"""Targets and surroundings that hide a leak: none of them may make a run valid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .commands import AUDIO, HARNESS, ROOT, harness, run, scenarios

Write = Callable[..., Path]
ADAPTER = """
from dataclasses import replace

from harness.errors import TargetError
from harness.targets.clinic import ClinicDriver, ClinicTarget

ALL = {}
HALF = chr(0xD83D)


class Lying(ClinicTarget):
    def driver(self, account, name, role):
        return Driver(self.pool.session(name), account, name, role)


class Driver(ClinicDriver):
    reads = 0

"""
SECOND_READING = """
    async def replays(self):
        self.reads += 1
        own = await super().replays()
        ALL.update({each.ref: each for each in own})
        return own if self.reads == 1 else [*ALL.values()]
"""
HALF_A_TRUTH = """
    async def recordings(self, consultation):
        return (await super().recordings(consultation))[:1]

    async def open(self, recording):
        try:
            ALL[recording] = await super().open(recording)
        except TargetError:
            if recording not in ALL or "bob" not in self._account:
                raise
        return ALL[recording]
"""
HALF_A_LETTER = """
    async def replays(self):
        own = await super().replays()
        ALL.update({each.ref: replace(each, ref=each.ref + HALF) for each in own})
        return [*ALL.values()]

    async def recordings(self, consultation):
        return [replace(each, ref=each.ref + HALF) for each in await super().recordings(consultation)]

    async def open(self, recording):
        return await super().open(recording.removesuffix(HALF))
"""
ANY_INBOX = """
    async def look(self, surface, about=""):
        view = await super().look(surface, about)
        return ALL.setdefault(surface, view) if surface == "inbox" else view
"""
ALL_EARS = """
    async def listen(self, hear):
        ALL[self._account] = hear
        await super().listen(lambda channel, text: [each(channel, text) for each in ALL.values()])
"""
ELSEWHERE = """

from pathlib import Path

from harness.flags.embedded import EmbeddedFlags
from harness.planning.catalogue import load
from harness.targets.base import FlagSource


class Elsewhere(ClinicTarget):
    async def start(self, flags):
        self.own = EmbeddedFlags.start(load(Path("on.toml")))
        await super().start(FlagSource(self.own.url, self.own.token))

    async def close(self):
        await super().close()
        self.own.stop()
"""
STORY = "@scenario()\nasync def story(alice: Patient, chen: Clinician) -> None:\n    assert False\n"


@pytest.fixture
def on(tmp_path: Path) -> Path:
    """Return a catalogue in which replays are on or off, and nothing else matters."""
    file = tmp_path / "on.toml"
    file.write_text("[flags.replay-access]\nbaseline = 'on'\n")
    return file


@pytest.mark.parametrize(
    ("lie", "check", "degree"),
    [
        (SECOND_READING, "foreign-media", "presented"),
        (HALF_A_TRUTH, "reachable-media", "proved"),
        (ANY_INBOX, "foreign-text", "presented"),
        (ALL_EARS, "pushed-foreign", "presented"),
    ],
    ids=[
        "a list that leaks from its second reading on",
        "bytes that open by a reference which only a list told",
        "an inbox that is another's",
        "a channel that brings everybody's messages",
    ],
)
def test_leaks_that_hide(tmp_path: Path, out: Path, on: Path, lie: str, check: str, degree: str) -> None:
    """What shows only when it is looked at twice, or from another side, is found."""
    (tmp_path / "lies.py").write_text(ADAPTER + lie)
    ended = run(out, AUDIO, "--target", "lies:Lying", "--flags", str(on), cwd=tmp_path)
    leaks = [each for each in ended.summary["findings"] if each["check"] == check]
    assert ended.ended.code == 1, ended.ended
    assert degree in {each["degree"] for each in leaks}


def test_references_that_no_file_can_hold(tmp_path: Path, out: Path, on: Path) -> None:
    """Half a letter, as JavaScript cuts an emoji, stands in JSON; a leak that quotes it is told all the same."""
    (tmp_path / "lies.py").write_text(ADAPTER + HALF_A_LETTER)
    ended = run(out, AUDIO, "--target", "lies:Lying", "--flags", str(on), cwd=tmp_path)
    assert (ended.ended.code, ended.ended.complained) == (1, ""), ended.ended
    assert r"\ud83d" in ended.ended.said
    again = harness("check", str(out))
    assert (again.code, again.complained) == (1, "")


def test_right_flags_from_another_server(tmp_path: Path, out: Path, on: Path) -> None:
    """A target that has its flags from a server that nobody watches is not proved to keep them."""
    (tmp_path / "lies.py").write_text(ADAPTER + ELSEWHERE)
    arguments = [AUDIO, "--target", "lies:Elsewhere", "--flags", on.name]
    ended = run(out, *arguments, cwd=tmp_path)
    assert ended.ended.code == 6, ended.ended
    assert "the target has the right flags, but not from " in ended.summary["doubts"][0]


def test_another_plugin_cannot_make_it_green(write: Write, out: Path, on: Path) -> None:
    """Whatever a conftest does to pytest's exit code, the run's own stands."""
    file = write(STORY, "all/story.py")
    (file.parent / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n"
        "    session.exitstatus = 0\n"
    )
    arguments = [str(file.parent), "--flags", str(on), "--out", str(out)]
    assert run(out, *arguments).ended.code == 1
    assert scenarios(*arguments).code == 1


def test_a_reader_that_goes_away(out: Path, on: Path) -> None:
    """A pipe that breaks in mid-run ends neither the run nor its verdict."""
    command = [HARNESS, "run", AUDIO, "--flags", str(on), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
    assert (out / "summary.json").exists()
