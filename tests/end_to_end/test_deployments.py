"""Covering runs of the shipped catalogue: 7,776 valid combinations, two flags that need deployments of their own."""

from __future__ import annotations

import itertools
import os
import re
import signal
from pathlib import Path

import pytest

from harness.model import Combination
from harness.planning.catalogue import load
from harness.planning.exhaustive import combinations

from .commands import (
    AUDIO,
    FLAW,
    HARNESS,
    ROOT,
    STORIES,
    SWITCHING,
    Run,
    background,
    call,
    harness,
    run,
    scenarios,
    until,
)

SHIPPED = ROOT / "flags" / "clinic.toml"
SHARED = ("recorder-transcode", "fast-sessions")
PAIRS = ("--flags", str(SHIPPED), "--coverage", "t-way:2")
LASTING = """
from harness.targets.clinic import ClinicTarget

ONE = None


def lasting(options):
    global ONE
    ONE = ONE or Lasting(options)
    return ONE


class Lasting:
    \"\"\"A deployment that the adapter starts once and never again.\"\"\"

    started = False

    def __init__(self, options):
        self._real = ClinicTarget(options)

    def __getattr__(self, name):
        return getattr(self._real, name)

    async def start(self, flags):
        if not self.started:
            self.started = True
            await self._real.start(flags)

    async def close(self):
        pass
"""


@pytest.fixture(scope="session")
def valid() -> list[Combination]:
    """Return every valid combination of the shipped catalogue."""
    return list(combinations(load(SHIPPED)))


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of one scenario on the sound clinic in which every valid pair of variants is played."""
    return run(tmp_path_factory.mktemp("pairs") / "out", AUDIO, *PAIRS)


@pytest.fixture(scope="session")
def flawed_pairs(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the same of the scenario that wakes the flaw, on the clinic with the flaw planted."""
    return run(tmp_path_factory.mktemp("flawed-pairs") / "out", SWITCHING, *PAIRS, "--flaw", FLAW)


def deployment(cell: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Return what all users of the cell's deployment share."""
    return tuple(cell["combination"][flag] for flag in SHARED)


def test_verdict(pairs: Run) -> None:
    """It exits 0, claims pairs and no more, and found the control in each of four deployments."""
    summary = pairs.summary
    played = len(pairs.cells)
    assert (pairs.ended.code, pairs.ended.complained, summary["verdict"]) == (0, "", "valid")
    assert summary["trials"] == {"total": played, "valid": played, "unknown": 0, "invalid": 0}
    claim = summary["claim"]
    assert (claim["kind"], claim["strength"], claim["valid_combinations"], claim["executed"], claim["fixed"]) == (
        ("t-way", 2, 7_776, played, {})
    )
    assert (summary["control"]["found"], summary["control"]["trials"]) == (True, 4)
    assert "VALID: nobody could see media that is not theirs in the combinations that were executed" in pairs.ended.said
    assert "  played: clinic, by API, 1 scenario of 3 paths, seed 0\n" in pairs.ended.said
    assert f"  the whole run again: harness run {' '.join(STORIES)} {AUDIO} --seed 0 " in pairs.ended.said
    assert f"t-way 2: every valid pair of variants is played in 1 scenario, in {played} of 7,776" in (
        " ".join(pairs.ended.said.split())
    )


def test_every_valid_pair_was_executed(pairs: Run, valid: list[Combination]) -> None:
    """Each pair of variants that some valid combination has stands in a trial of which a ledger was kept."""
    played = [pairs.cells[trial]["combination"] for trial in pairs.ledgers()]
    for one, other in itertools.combinations(valid[0], 2):
        feasible = {(row[one], row[other]) for row in valid}
        assert {(row[one], row[other]) for row in played} == feasible
    assert len(played) < 25


def test_shared_flags_were_in_force(pairs: Run) -> None:
    """In each trial every actor was seen to have all flags, those of the worker and of the process's start included."""
    for trial, rows in pairs.ledgers().items():
        cell = pairs.cells[trial]["combination"]
        seen = [row["data"]["seen"] for row in rows if row["action"] == "flags" and "seen" in row["data"]]
        assert len(seen) == 2 * len(rows[0]["data"]["cast"])
        assert all({flag: each[flag] for flag in cell} == cell for each in seen)


def test_deployments_follow_one_another(pairs: Run) -> None:
    """The plan keeps what one deployment can hold together; each deployment is announced with what its users share."""
    order = [deployment(cell) for cell in pairs.cells.values()]
    together = [shared for shared, _ in itertools.groupby(order)]
    assert sorted(together) == sorted(itertools.product(("off", "on"), repeat=2))
    said = [f"deployment {i} of 4: {flags_of(shared)}" for i, shared in enumerate(together, 1)]
    places = [pairs.ended.said.index(each) for each in said]
    assert places == sorted(places)
    assert pairs.ended.said.count("starting the flag server") == 4


def flags_of(shared: tuple[str, ...]) -> str:
    """Return a deployment's shared flags as they are printed."""
    return " ".join(f"{flag}={variant}" for flag, variant in zip(SHARED, shared, strict=True))


def test_requests_of_all_deployments_are_counted(pairs: Run) -> None:
    """What the actors of all trials asked for was asked of some deployment, and counted."""
    asked = sum(row["outcome"] == "intent" for rows in pairs.ledgers().values() for row in rows)
    assert pairs.summary["requests"] >= asked


def test_one_register(pairs: Run) -> None:
    """The deployments share one register: no two actors of the run have the same number, and each its own account."""
    numbers = [
        (rows[0]["data"]["run"], row["data"]["number"], row["data"]["account"])
        for rows in pairs.ledgers().values()
        for row in rows
        if (row["action"], row["outcome"]) == ("enrol", "intent")
    ]
    assert len({run for run, _, _ in numbers}) == 1
    assert len({number for _, number, _ in numbers}) == len({account for *_, account in numbers}) == len(numbers)


def test_check(pairs: Run, tmp_path: Path) -> None:
    """A stored run is judged again with all its controls, and is unknown when one of them is missing."""
    ended = harness("check", str(pairs.out))
    assert ended.code == 0
    assert ended.said.split() == pairs.ended.said[pairs.ended.said.index("VALID: ") :].split()
    out = tmp_path / "out"
    (out / "ledgers").mkdir(parents=True)
    for path in (path for path in pairs.out.rglob("*.json*") if path.parent.name in ("out", "ledgers")):
        (out / path.relative_to(pairs.out)).write_bytes(path.read_bytes())
    assert harness("check", str(out)).code == 0
    (out / "control-3.jsonl").unlink()
    ended = harness("check", str(out))
    assert ended.code == 6
    assert "the control did not run, so no list can be believed (deployment 3 of 4)" in ended.said


def test_a_leak_is_a_hypothesis(flawed_pairs: Run) -> None:
    """A leak among pairs exits 1; its cause is told as a hypothesis, and nothing is called safe to ship."""
    summary = flawed_pairs.summary
    assert (flawed_pairs.ended.code, summary["verdict"]) == (1, "invalid")
    assert {finding["scenario"] for finding in summary["findings"]} == {SWITCHING}
    leaky = {tuple(finding["combination"].items()) for finding in summary["findings"]}
    assert leaky
    assert summary["leak_conditions"]
    assert all(not each["exact"] for each in summary["leak_conditions"])
    assert all(
        any(each["when"].items() <= dict(combination).items() for each in summary["leak_conditions"])
        for combination in leaky
    )
    assert all(not each["exact"] and each["valid"] < each["total"] for each in summary["safe"])
    assert f"(hypothesis: {len(flawed_pairs.cells)} of 7,776 combinations have a verdict" in flawed_pairs.ended.said
    assert "ship: " not in flawed_pairs.ended.said
    assert "safe with" not in flawed_pairs.ended.said


def test_again(flawed_pairs: Run) -> None:
    """The command that the run prints has its coverage, and plays the one trial in the one deployment that it needs."""
    words = flawed_pairs.again()
    place = Path(words[words.index("--out") + 1])
    failed = Run(call(HARNESS, *words[1:]), place)
    assert (failed.ended.code, failed.summary["trials"]["total"]) == (1, 1)
    assert failed.summary["claim"]["kind"] == "selection"
    assert "deployment 1 of" not in failed.ended.said


def test_a_target_that_is_not_started_anew(tmp_path: Path, out: Path) -> None:
    """Where a deployment keeps its start-up flags, the trials that need others are not executed: it is unknown."""
    (tmp_path / "ours.py").write_text(LASTING)
    ended = run(out, AUDIO, *PAIRS, "--target", "ours:lasting", cwd=tmp_path)
    summary = ended.summary
    first = [cell for cell in ended.cells.values() if deployment(cell) == ("off", "off")]
    assert (ended.ended.code, summary["verdict"]) == (6, "unknown")
    assert summary["trials"] == {
        "total": len(ended.cells),
        "valid": len(first),
        "unknown": len(ended.cells) - len(first),
        "invalid": 0,
    }
    assert re.match(r"the run was stopped: deployment 2 \(.*=on.*\) could not be proved: ", summary["doubts"][0])
    assert "wanted 'on'" in summary["doubts"][0]
    assert len(ended.ledgers()) == len(first)


def test_target_killed_in_a_later_deployment(tmp_path: Path, out: Path) -> None:
    """A target that dies stops the run: no deployment after it is made, and what was executed before stays."""
    command = (HARNESS, "run", *STORIES, *PAIRS, "--out", str(out))
    with background(tmp_path / "log", *command) as started:
        started.wait_until("deployment 2 of 4")
        before = set((out / "ledgers").iterdir())
        until(lambda: set((out / "ledgers").iterdir()) > before or started.process.poll() is not None)
        victims = [pid for pid in started.children() if b"harness.clinic" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert victims
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        ended = Run(started.end(), out)
    summary = ended.summary
    assert (ended.ended.code, summary["verdict"]) == (6, "unknown")
    assert summary["doubts"][0] == "the run was stopped: the target died in the middle of the run"
    assert "deployment 3 of 4" not in ended.ended.said
    assert len(before) <= summary["trials"]["valid"] < summary["trials"]["total"]


def test_serve(tmp_path: Path, out: Path) -> None:
    """A deployment that runs already keeps these flags at their baseline, and the claim of a run on it says so."""
    options = ["--port", "0", "--flag-port", "0", "--flags", str(SHIPPED)]
    with background(tmp_path / "log", HARNESS, "serve", *options) as served:
        served.wait_until("Ctrl-C ends both.")
        command = next(line for line in served.said.splitlines() if "harness run" in line).split("harness run ")[1]
        arguments = ["--flags", str(SHIPPED), "--coverage", "t-way:1"]
        ended = run(out, AUDIO, *command.split(), *arguments)
        served.interrupt(signal.SIGTERM)
        assert served.end().code == 0
    assert "for all      recorder-transcode=off, fast-sessions=off" in served.said
    claim = ended.summary["claim"]
    assert (ended.ended.code, claim["kind"], claim["valid_combinations"]) == (0, "t-way", 1_944)
    assert claim["fixed"] == dict.fromkeys(SHARED, "off")
    assert {deployment(cell) for cell in ended.cells.values()} == {("off", "off")}
    assert "all with recorder-transcode=off and fast-sessions=off, which this run holds so" in ended.ended.said


def test_pytest(out: Path) -> None:
    """`pytest scenarios --coverage` plays the same, deployment after deployment, with the same exit code."""
    ended = scenarios("scenarios/audio_only.py", "--flags", str(SHIPPED), "--coverage", "t-way:1", "--out", str(out))
    played = Run(ended, out)
    assert (ended.code, played.summary["verdict"]) == (0, "valid")
    assert f"{len(played.cells)} passed" in ended.said
    assert len({deployment(cell) for cell in played.cells.values()}) > 1
