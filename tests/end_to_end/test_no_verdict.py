"""What could not be proved exits 6 with a sentence that says so: flags ignored, servers killed, a blind control."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.flags.embedded import EmbeddedFlags
from harness.planning import catalogue as catalogues
from harness.process import Service

from .commands import FLAGS, HARNESS, ROOT, STORIES, Run, background, call, rows, run

CLINIC = ["--port", "0", "--database", ":memory:", "--refresh-s", "0.1", "--until-stdin-closes"]
DEAD = "http://127.0.0.1:1/api"


@dataclass(frozen=True)
class Servers:
    """A clinic and the flag server that it reads, started by the test."""

    clinic: Service
    flags: EmbeddedFlags

    @property
    def options(self) -> list[str]:
        """Return how a run is pointed to them."""
        return ["--target", self.clinic.url, "--flag-server", self.flags.url]


def clinic(unleash_url: str, token: str) -> Service:
    """Start a clinic that reads its flags there."""
    return Service.start("clinic", "harness.clinic", [*CLINIC, "--unleash-url", unleash_url, "--unleash-token", token])


@pytest.fixture
def flags() -> Iterator[EmbeddedFlags]:
    """Return a flag server with the clinic's catalogue."""
    with EmbeddedFlags.start(catalogues.load(FLAGS)) as served:
        yield served


@pytest.fixture
def servers(flags: EmbeddedFlags) -> Iterator[Servers]:
    """Return a clinic and its flag server, which a test may kill."""
    started = clinic(flags.url, flags.token)
    yield Servers(started, flags)
    started.stop()


def require_nothing_executed(run: Run, said: str) -> None:
    """Fail unless a run ended as unknown before its first trial, with the sentence printed and in the summary."""
    summary = run.summary
    assert (run.ended.code, summary["exit_code"], summary["verdict"]) == (6, 6, "unknown")
    assert f"not proved: the flags could not be proved to be in force: {said}" in run.ended.said
    assert summary["doubts"][0].startswith(f"the flags could not be proved to be in force: {said}")
    assert (summary["claim"]["executed"], summary["trials"]["valid"], len(run.cells)) == (0, 0, 216)
    assert not list((run.out / "ledgers").iterdir())


def test_target_ignores_flags(out: Path, flags: EmbeddedFlags, tmp_path: Path) -> None:
    """A clinic that reads other flags than those served is found out through its own answers."""
    other = tmp_path / "other.toml"
    other.write_text('[flags.replay-access]\nbaseline = "on"\n')
    with EmbeddedFlags.start(catalogues.load(other)) as elsewhere:
        deaf = clinic(elsewhere.url, elsewhere.token)
        try:
            ended = run(out, "--target", deaf.url, "--flag-server", flags.url)
        finally:
            deaf.stop()
    require_nothing_executed(ended, "the target does not have the combination that its user carries")
    assert "replay-access is 'off', wanted 'on'" in ended.ended.said
    assert f"no SDK of the target's has asked the flag server at {flags.url} for them" in ended.ended.said


def test_flag_server_gone_before(out: Path) -> None:
    """A flag server that does not answer when the run begins leaves nothing proved."""
    require_nothing_executed(
        run(out, "--flag-server", DEAD), f"the flag server at {DEAD}/client/features does not answer"
    )


def test_flag_server_serves_something_else(out: Path, small: Path) -> None:
    """A flag server without the catalogue's flags is named with the flags that it lacks."""
    with EmbeddedFlags.start(catalogues.load(small)) as elsewhere:
        ended = run(out, "--flag-server", elsewhere.url)
        require_nothing_executed(ended, f"the flag server at {elsewhere.url} does not serve flag video-downgrade, ")


@pytest.mark.parametrize(
    ("victim", "said"),
    [
        ("flags", "the run was stopped: the flags are no longer proved: the flag server does not answer"),
        ("clinic", "the run was stopped: the target died in the middle of the run"),
    ],
)
def test_server_killed_in_the_middle(out: Path, tmp_path: Path, servers: Servers, victim: str, said: str) -> None:
    """The run ends by itself, keeps each finished trial's ledger and counts the cells that were not executed."""
    process = (servers.flags.service if victim == "flags" else servers.clinic).process
    with background(
        tmp_path / "log", HARNESS, "run", *STORIES, *servers.options, "--out", str(out), "--flags", str(FLAGS)
    ) as started:
        started.wait_until("21 of 216 trials")
        process.kill()
        ended = Run(started.end(), out)
    summary = ended.summary
    valid, executed = summary["trials"]["valid"], sum(each["executed"] for each in summary["scenarios"])
    assert (ended.ended.code, summary["exit_code"], summary["verdict"]) == (6, 6, "unknown")
    assert summary["doubts"][0].startswith(said)
    assert summary["doubts"][1] == f"{216 - executed} of 216 expected trials have no result"
    assert f"not proved: {said}" in ended.ended.said
    assert 21 <= valid <= executed < 216
    assert summary["trials"] == {"total": 216, "valid": valid, "unknown": 216 - valid, "invalid": 0}
    assert len([path for path in (out / "ledgers").iterdir() if rows(path)[-1]["actor"] == "harness"]) == executed
    assert sum(each["sentence"].startswith("not executed: ") for each in summary["findings"]) == 216 - executed


def test_fake_control_that_is_not_found(out: Path, small: Path, tmp_path: Path) -> None:
    """With a fake control that slips nothing in, all trials are valid and the run is unknown all the same."""
    fake = tmp_path / "fake.py"
    fake.write_text(
        "from harness.cli.main import main\nfrom harness.running import control\n\n\n"
        "async def fake_replays(self):\n    return await self._real.replays()\n\n\n"
        "control.SlippedIn.replays = fake_replays\nmain()\n"
    )
    python = str(Path(HARNESS).with_name("python"))
    ended = Run(call(python, str(fake), "run", *STORIES, "--flags", str(small), "--out", str(out), cwd=ROOT), out)
    assert ended.summary["trials"] == {"total": 24, "valid": 24, "unknown": 0, "invalid": 0}
    assert (ended.ended.code, ended.summary["verdict"], ended.summary["control"]["found"]) == (6, "unknown", False)
    assert "not proved: a foreign video slipped into alice's list was not found" in ended.ended.said
