"""`harness identify` from its arguments to its exit code, on real films, pictures, archives and words."""

from __future__ import annotations

import html
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.canary import Canary, pack
from harness.canary.text import inscribe
from harness.cli.main import main
from harness.identifying import command, looking, show
from tests.identifying.files import archive, film, still, titled
from tests.identifying.written import RUN, SCENARIO, TRIAL, Written, written

STRANGER = Canary(0x0BEEF, 17, 2, 1)
NO_RUN = "user 17 of run 0beef, call 2, on video: no stored run has that number"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Return a stored run at the usual place of an otherwise empty working directory."""
    monkeypatch.chdir(tmp_path)
    return written(Path("reports/out"))


def identify(*arguments: str) -> int:
    """Run the command and return its exit code."""
    before, sys.argv = sys.argv, ["harness", "identify", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run the command for programs and return what it printed."""
    code = identify("--json", *arguments)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["exit_code"] == code
    return answer


def test_a_film_is_told_over_time(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Where Bob follows Alice in a film, each stands with trial, role, consultation and the seconds of each track."""
    Path("leak.webm").write_bytes(film((run.alice, 2.5), (run.bob, 4.0)))
    assert identify("leak.webm") == 0
    said = capsys.readouterr().out
    assert said.startswith("leak.webm: 6.5 s, video and audio\n")
    for name, number in (("alice", 1), ("bob", 2)):
        assert f"{name} of trial {TRIAL}, call {number}, on video:" in said
        assert f"consultation con-{TRIAL}-{number}\n" in said
    assert f"scenario     {SCENARIO}\n" in said
    assert f"run          {RUN:05x} in reports/out\n" in said

    [file] = told(capsys, "leak.webm")["files"]
    assert file["outcome"] == "canaries"
    spans = {(each["canary"], each["where"]): (each["from_s"], each["to_s"]) for each in file["timeline"]}
    assert len(spans) == len(file["timeline"]) == 4
    for where, inexact_s in (("video", 0.2), ("audio", 0.9)):
        assert spans[f"{pack(run.alice):020d}", where] == pytest.approx((0.0, 2.5), abs=inexact_s)
        assert spans[f"{pack(run.bob):020d}", where] == pytest.approx((2.5, 6.5), abs=inexact_s)
    [origin] = file["canaries"][0]["origins"]
    assert origin == {
        "directory": "reports/out",
        "run": RUN,
        "trial": TRIAL,
        "scenario": SCENARIO,
        "actor": "alice",
        "role": "patient",
        "account": f"alice-{TRIAL}",
        "visit": "visit-1",
        "consultation": f"con-{TRIAL}-1",
        "what": "video",
        "acknowledged": True,
    }


def test_a_canary_that_comes_back_has_two_stretches(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Alice before and after Bob is told as such."""
    Path("leak.webm").write_bytes(film((run.alice, 2.0), (run.bob, 3.0), (run.alice, 2.0)))
    [file] = told(capsys, "leak.webm")["files"]
    pictures = [each["canary"] for each in file["timeline"] if each["where"] == "video"]
    assert pictures == [f"{pack(each):020d}" for each in (run.alice, run.bob, run.alice)]


@pytest.mark.usefixtures("run")
def test_a_canary_that_no_run_knows_is_told_by_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours but of no stored run: user, run, call and medium stand there, and that the run is not."""
    Path("a.webm").write_bytes(film((STRANGER, 1.0)))
    assert identify("a.webm") == 0
    assert NO_RUN in capsys.readouterr().out
    unknown = Canary(RUN, 999, 1, 0)
    Path("b.webm").write_bytes(film((unknown, 1.0)))
    assert identify("b.webm") == 0
    said = capsys.readouterr().out
    assert f"user 999 of run {RUN:05x}, call 1, on audio: no ledger in reports/out, which may be that run, has" in said


def test_without_stored_runs_the_numbers_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No reports/ is no fault: what can be said is said, and where runs are named."""
    monkeypatch.chdir(tmp_path)
    Path("note.txt").write_text(inscribe(STRANGER))
    assert identify("note.txt") == 0
    said = capsys.readouterr().out
    assert NO_RUN in said
    assert "no stored run was found; name where they are with --runs" in said


def test_runs_elsewhere_are_asked_when_named(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """--runs takes the place of reports/, and may be given again."""
    other = written(Path("elsewhere/out"), 5)
    Path("note.txt").write_text(f"{other.bobs_name} {run.bobs_name}")
    answer = told(capsys, "note.txt", "--runs", "elsewhere")
    assert [len(each["origins"]) for each in answer["files"][0]["canaries"]] == [1, 0]
    answer = told(capsys, "note.txt", "--runs", "elsewhere/out", "--runs", "reports/out")
    assert [len(each["origins"]) for each in answer["files"][0]["canaries"]] == [1, 1]
    assert answer["runs"] == ["elsewhere/out", "reports/out"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_words_are_told(run: Written, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    """A token in a page, escaped and in capitals, is told with what it was written as."""
    page = html.escape(json.dumps({"name": f"Bób \u2026 {run.bobs_name.upper()}", "other": "nobody"}))
    Path("page.html").write_bytes(f"<p data-x='{page}'>".encode(encoding))
    assert identify("page.html") == 0
    said = capsys.readouterr().out
    assert said.startswith("page.html: words\n")
    assert f"bob of trial {TRIAL}, in a name:\n" in said
    assert "call 0" not in said


def test_standard_input_is_read(
    run: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """- is what is piped in, words or media."""
    for data, where in ((run.bobs_name.encode(), "words"), (film((run.bob, 1.0)), "video")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        [file] = told(capsys, "-")["files"]
        assert file["file"] == "-"
        assert where in [each["where"] for each in file["timeline"]]


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_a_picture_is_told(run: Written, capsys: pytest.CaptureFixture[str], codec: str) -> None:
    """A still picture has no time, and its owner stands beside it whatever its file is called."""
    Path("thumbnail.webm").write_bytes(still(run.bob, codec))
    assert identify("thumbnail.webm") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"thumbnail.webm: a picture\n  picture  bob of trial {TRIAL}, call 2, on video\n")


def test_an_archive_is_told_file_by_file(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an export each film, picture and page stands by its own name."""
    files = {
        "hers_webm": film((run.alice, 1.0)),
        "his_png": still(run.bob),
        "notes_json": json.dumps({"by": run.bobs_name}).encode(),
        "readme_txt": b"nothing",
    }
    Path("export.zip").write_bytes(archive(**files))
    answer = told(capsys, "export.zip")
    assert answer["exit_code"] == 0
    seen = {(each["member"], each["where"], each["canary"]) for each in answer["files"][0]["timeline"]}
    assert ("hers.webm", "audio", f"{pack(run.alice):020d}") in seen
    assert ("his.png", "video", f"{pack(run.bob):020d}") in seen
    assert ("notes.json", "words") in {each[:2] for each in seen}
    assert identify("export.zip") == 0
    assert "\n  his.png: picture " in capsys.readouterr().out


def test_an_archive_of_words_alone_is_told(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no media to be identified; with neither media nor tokens it is not."""
    Path("words.zip").write_bytes(archive(a_txt=run.bobs_name.encode()))
    Path("empty.zip").write_bytes(archive(a_txt=b"nothing"))
    assert identify("words.zip") == 0
    assert identify("empty.zip") == 1
    capsys.readouterr()


def test_words_beyond_the_limit_are_said(
    run: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of words that is too long is not read, alone or in an archive, and that is said."""
    monkeypatch.setattr(looking, "MAX_TEXT_BYTES", 800)
    long = ("é" * 1000 + run.bobs_name).encode()
    Path("long.txt").write_bytes(long)
    assert identify("long.txt") == 1
    assert "2018 bytes of words, more than 800" in capsys.readouterr().out
    Path("long.zip").write_bytes(archive(a_txt=long, b_txt=run.bobs_name.encode()))
    assert identify("long.zip") == 0
    assert "too many words, not read: a.txt" in capsys.readouterr().out


def test_a_title_within_a_film_is_found(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """What a film is called carries its author as well."""
    Path("titled.mkv").write_bytes(titled(film((run.alice, 1.0)), f"Consultation of Bob {run.bobs_name}"))
    [file] = told(capsys, "titled.mkv")["files"]
    assert [each["where"] for each in file["timeline"]].count("words") == 1
    assert len(file["canaries"]) == 2


def test_what_cannot_be_read_or_is_not_ours_fails(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """One file of several that says nothing makes the code 1; the others are told all the same."""
    whole = film((run.alice, 2.0))
    files = {
        "cut.webm": whole[: len(whole) // 2],
        "noise.bin": bytes(range(256)) * 40,
        "empty.webm": b"",
        "words.txt": b"no canary here",
    }
    for name, data in files.items():
        Path(name).write_bytes(data)
        assert identify(name) == 1, name
        assert capsys.readouterr().out.startswith(f"{name}: ")
    Path("good.webm").write_bytes(whole)
    answer = told(capsys, "good.webm", "words.txt")
    assert [each["identified"] for each in answer["files"]] == [True, False]
    assert answer["exit_code"] == 1


def test_another_key_is_not_ours(
    run: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What carries a payload with another tag is said to, and fails."""
    monkeypatch.setattr("tests.identifying.files.pack", lambda canary: pack(canary, b"another key"))
    Path("other.webm").write_bytes(film((run.alice, 1.0)))
    assert identify("other.webm") == 1
    assert "some of it is tagged with another key" in capsys.readouterr().out


def test_a_file_beyond_the_limit_is_not_read(
    run: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is too large is said to be, from a disk or from a pipe."""
    monkeypatch.setattr(command, "MAX_BYTES", 10)
    Path("large.txt").write_text(run.bobs_name)
    assert identify("large.txt") == 1
    assert "large.txt: cannot be read; more than 10 bytes" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(run.bobs_name.encode())))
    assert identify("-") == 1
    assert "-: cannot be read; more than 10 bytes" in capsys.readouterr().out


def test_what_an_attacker_called_a_file_does_nothing_to_a_terminal(
    run: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names in an archive are printed without control characters."""
    Path("odd.zip").write_bytes(archive(**{"\x1b[31m": run.bobs_name.encode()}))
    assert identify("odd.zip") == 0
    said = capsys.readouterr().out
    assert "\\x1b[31m" in said
    assert "\x1b" not in said


@pytest.mark.usefixtures("run")
def test_a_long_timeline_is_shortened_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit the rest is counted, and --json has it."""
    monkeypatch.setattr(show, "MAX_LINES", 4)
    Path("many.txt").write_text(" ".join(inscribe(Canary(1, user, 1, 1)) for user in range(10)))
    assert identify("many.txt") == 0
    assert "  ... and 17 lines more; --json has them" in capsys.readouterr().out
    assert len(told(capsys, "many.txt")["files"][0]["timeline"]) == 10


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("leek.webm",), "leek.webm: no such file; did you mean 'leak.webm'?"),
        (("reports",), "reports: it is a directory; name the files in it"),
        (("/dev/null",), "/dev/null: it is not a file"),
        (("-", "-"), "- is named twice: standard input can be read once"),
        (("leak.webm", "--runs", "report"), "--runs report: no such directory; did you mean 'reports'?"),
        ((), "Missing argument 'FILE...'."),
    ],
)
def test_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str) -> None:
    """What is not there is named with the nearest that is, and nothing is read."""
    Path("leak.webm").write_bytes(b"")
    assert identify(*arguments) == 4
    said = capsys.readouterr()
    assert complaint in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_nothing_is_written(run: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after, the same files are there, with the same bytes."""
    Path("leak.webm").write_bytes(film((run.alice, 1.0)))
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert identify("leak.webm") == 0
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    capsys.readouterr()
