"""The same scenarios through the clinic's pages, in a real Chromium: sound, leaking, mixed hands, and no browser."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.chromium import needs_chromium

from .commands import FLAW, ROOT, Run, harness, run

pytestmark = needs_chromium
STORY = "scenarios/switching.py"
LEAKING = (
    "video-upgrade=on",
    "video-downgrade=off",
    "replay-index-v2=on",
    "replay-cache=off",
    "replay-paging=off",
    "replay-access=on",
)  # fmt: skip - a list of flags


def one_trial(out: Path, *arguments: str) -> Run:
    """Run the switching scenario under the one combination that lets the breach happen."""
    return run(out, STORY, *(word for choice in LEAKING for word in ("--set", choice)), *arguments)


def test_a_leak_is_proved_through_the_pages_and_shown_in_a_picture(out: Path) -> None:
    """The run ends with 1, the finding is proved by content, and the evidence shows the entry without secrets."""
    leaking = one_trial(out, "--driver", "browser", "--flaw", FLAW)
    assert leaking.ended.code == 1, leaking.ended.said
    proved = [
        each for each in leaking.summary["findings"] if each["check"] == "foreign-media" and each["degree"] == "proved"
    ]
    (trial,) = leaking.cells
    kept = {file.name for file in (out / "evidence" / trial).iterdir()}
    assert {"leak.webm", "leak.png"} <= kept
    assert f"evidence: {out / 'evidence' / trial}\n" in leaking.ended.said
    for viewer in {each["viewer"] for each in proved}:
        for picture in (f"{viewer}.png", f"{viewer}.replays.png"):
            assert (out / "evidence" / trial / picture).read_bytes().startswith(b"\x89PNG")
        foreign = {each["recording"] for each in proved if each["viewer"] == viewer}
        with ZipFile(out / "evidence" / trial / f"{viewer}.trace.zip") as trace:
            seen = b"".join(trace.read(name) for name in trace.namelist() if name.endswith(".trace"))
        assert any(recording.encode() in seen for recording in foreign)
        assert b"a-synthetic-patient" not in seen


def test_a_call_of_mixed_hands_is_recorded_whole(out: Path) -> None:
    """Patients at the pages and a clinician by the API, in one call: what both emitted is found by content."""
    mixed = one_trial(out, "--driver", "patient=browser,clinician=api")
    assert mixed.ended.code == 0, mixed.ended.said
    (ledger,) = mixed.ledgers().values()
    emitted = {row["data"]["canary"] for row in ledger if row["action"] == "emit" and row["outcome"] == "ok"}
    opened = {
        sighting["value"]
        for row in ledger
        if row["action"] == "open" and row["outcome"] == "ok"
        for sighting in row["data"]["content"]["canaries"]
    }
    assert emitted == opened
    assert {row["data"]["medium"] for row in ledger if row["action"] == "emit" and row["actor"] == "bob"} == {
        "audio",
        "video",
    }


@pytest.mark.parametrize("browser", ["/nowhere/chromium", "/bin/false"])
def test_no_browser_is_one_line_and_usage(out: Path, browser: str) -> None:
    """A browser that is not there, or is none, is refused before anything runs, with how to get one."""
    refused = harness("run", "--driver", "browser", "--out", str(out), env={"HARNESS_BROWSER": browser})
    assert refused.code == 4
    assert browser in refused.complained
    assert "apt install chromium" in refused.complained
    assert refused.complained.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("driver", "said"),
    [("browsr", "did you mean 'browser'?"), ("nurse=browser", "'nurse' is none of patient, clinician")],
)
def test_unknown_hands_are_refused_with_the_nearest_name(out: Path, driver: str, said: str) -> None:
    """A driver or a role that does not exist is one line and usage."""
    refused = harness("run", "--driver", driver, "--out", str(out))
    assert refused.code == 4
    assert said in refused.complained


def test_an_adapter_without_pages_is_refused(tmp_path: Path, out: Path) -> None:
    """A target that has no browser hands is not silently moved by its API."""
    (tmp_path / "ours.py").write_text(
        "from harness.targets.clinic import ClinicTarget\n\n\n"
        "class Ours(ClinicTarget):\n    drivers = frozenset({'api'})\n"
    )
    flags = ("--flags", str(ROOT / "flags" / "clinic.toml"))
    chosen = ("--driver", "browser", "--target", "ours:Ours")
    refused = harness("run", str(ROOT / STORY), *flags, *chosen, "--out", str(out), cwd=tmp_path)
    assert refused.code == 4
    assert "has no browser for a patient; it has api" in refused.complained
