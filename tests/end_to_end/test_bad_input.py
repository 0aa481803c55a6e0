"""Bad input: one line that names file, place and nearest name, exit code 4, and nothing of an earlier run touched."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .commands import FLAGS, FLAW, HARNESS, SWITCHING, background, harness, scenarios

GOOD = """@scenario()
async def story(alice: Patient, chen: Clinician) -> None:
    await alice.book(chen, medium='audio')
"""
Write = Callable[..., Path]


@pytest.fixture
def good(write: Write) -> str:
    """Return a scenario file in which nothing is wrong."""
    return str(write(GOOD))


@pytest.fixture
def earlier(out: Path) -> Iterator[Path]:
    """Return the directory of an earlier run; afterwards it is as it was."""
    kept = {"run.json": "{}", "summary.json": "{}", "junit.xml": "<a/>", "allure-results/a-result.json": "{}"}
    (out / "allure-results").mkdir(parents=True)
    for name, text in kept.items():
        (out / name).write_text(text)
    yield out
    left = {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}
    assert left == kept


def refusal(*arguments: str, cwd: Path | None = None) -> str:
    """Return the one line with which `harness` refuses these arguments."""
    ended = harness(*arguments, cwd=cwd) if cwd else harness(*arguments)
    assert ended.code == 4, ended
    assert ended.complained.count("\n") == 1, ended.complained
    assert ended.complained.startswith("error: ")
    assert "starting" not in ended.said
    return ended.complained.removeprefix("error: ").strip()


SCENARIO_FAULTS = [
    (
        GOOD.replace("scenario()", "scenario(flags=['video-upgrad'])"),
        f":6: flag 'video-upgrad' of scenario 'story' is not in {FLAGS}; did you mean 'video-upgrade'?",
    ),
    (GOOD.replace("await", "= await"), ":8: SyntaxError: invalid syntax"),
    ("import nonesuch\n" + GOOD, ":6: ModuleNotFoundError: No module named 'nonesuch'"),
    (
        "@scenario()\nasync def story() -> None:\n    pass\n",
        ":6: scenario 'story' has no cast; give it parameters such as `alice: Patient`",
    ),
    (
        GOOD.replace("alice: Patient", "alice"),
        ":6: 'alice' of scenario 'story' needs a role: Patient, Clinician, Carer, Pharmacist or Operator",
    ),
    (
        GOOD.replace("alice: Patient", "alice: int"),
        ":6: 'alice' of scenario 'story' needs a role: Patient, Clinician, Carer, Pharmacist or Operator",
    ),
    (
        "@scenario()\ndef story(alice: Patient) -> None:\n    pass\n",
        ":6: scenario 'story' must be an `async def`",
    ),
    (GOOD + "\n" + GOOD, ":10: scenario 'story' is there twice; first at line 6"),
    (GOOD.replace("alice: Patient", "harness: Patient"), ":6: no actor of scenario 'story' may be called 'harness'"),
    ("import pytest\npytest.skip('not today', allow_module_level=True)\n" + GOOD, ":7: Skipped: not today"),
    (
        "def make() -> None:\n    " + GOOD.replace("\n", "\n    ").rstrip() + "\n\n\nmake()\n",
        ":7: scenario 'story' must stand at the top level of its file",
    ),
    (
        GOOD.replace("scenario()", "scenario(flags='replay-access')"),
        ":6: flags of scenario 'story' must be a list: flags=['replay-access']",
    ),
]


@pytest.mark.parametrize(("body", "said"), SCENARIO_FAULTS)
def test_scenario_file(write: Write, out: Path, body: str, said: str) -> None:
    """Whatever is wrong with a scenario file is said with file and line, and no directory is made."""
    file = write(body)
    assert refusal("run", str(file), "--out", str(out), "--flags", str(FLAGS)) == f"{file}{said}"
    assert not out.exists()


def test_scenario_file_under_pytest(write: Write, out: Path) -> None:
    """`pytest` refuses a scenario file with the same words and the same exit code."""
    body, said = SCENARIO_FAULTS[0]
    file = write(body)
    ended = scenarios(str(file), "--out", str(out), "--flags", str(FLAGS))
    assert (ended.code, ended.complained.strip()) == (4, f"ERROR: {file}{said}")
    assert not out.exists()


def test_scenario_in_a_test_file(write: Write, out: Path) -> None:
    """A scenario that would not be played since its file is a test's is refused beside one that would."""
    write(GOOD, "all/story.py")
    lost = write(GOOD.replace("story", "lost"), "all/test_lost.py")
    assert refusal("run", str(lost.parent), "--out", str(out)) == (
        f"{lost}:6: a scenario in a test file is not played; give the file another name"
    )


def test_other_ways_to_write_a_scenario(write: Write, out: Path) -> None:
    """A scenario under another name for the decorator is found all the same."""
    body = (
        "import harness\nfrom harness import Patient as P\n\n\n@harness.scenario\nasync def story(alice: P):\n    ...\n"
    )
    file = write(body, imports="")
    ended = harness("plan", str(file), "--out", str(out), "--flags", str(FLAGS))
    assert (ended.code, "72 combinations, 72 trials" in ended.said) == (0, True)


def test_assertions_taken_out(write: Write, out: Path) -> None:
    """Under python -O no assertion of a story could fail, so no story is played."""
    file = write(GOOD)
    ended = harness("run", str(file), "--out", str(out), env={"PYTHONOPTIMIZE": "1"})
    assert (ended.code, ended.complained.count("\n")) == (4, 1)
    assert "python -O takes every `assert` out of the story; run without it" in ended.complained


def test_address_without_its_flag_server(out: Path) -> None:
    """A target that runs already reads a flag server that runs already: without it the wrong one is watched."""
    said = refusal("run", "--target", "http://127.0.0.1:9", "--out", str(out))
    assert said.startswith("--target http://127.0.0.1:9: name the flag server that it reads too, with --flag-server")


def test_same_name_in_two_files(write: Write, out: Path) -> None:
    """Two scenarios of one name are refused with both places."""
    first, second = write(GOOD, "all/a.py"), write(GOOD, "all/b.py")
    assert refusal("run", str(first.parent), "--out", str(out)) == (
        f"{second}:6: scenario 'story' is there twice; first at {first}:6"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[flags.a]\nbaseline = = 'off'\n", ":2:12: broken TOML: Invalid value"),
        (
            "[flags.upgrade]\n[flags.child]\nparents = ['upgrad']\n",
            ":3: flag 'child': parent 'upgrad' is not a flag of this catalogue; did you mean 'upgrade'?",
        ),
        (
            "[flags.a]\nparents = ['b']\n[flags.b]\nparents = ['a']\n",
            ":2: flag 'a' is in a cycle of parents: a -> b -> a",
        ),
    ],
)
def test_flag_file(good: str, earlier: Path, tmp_path: Path, text: str, said: str) -> None:
    """A broken line, an unknown parent and a cycle of parents are said with file and line."""
    file = tmp_path / "flags.toml"
    file.write_text(text)
    assert refusal("run", good, "--out", str(earlier), "--flags", str(file)) == f"{file}{said}"


def test_misspelt_flag_file(good: str, out: Path, small: Path) -> None:
    """A flag file that does not exist is named with the nearest one that does."""
    wrong = small.with_name("smal.toml")
    said = refusal("run", good, "--out", str(out), "--flags", str(wrong))
    assert said.startswith(f"{wrong}: there is no such file; did you mean '")
    assert "small.toml" in said


def test_no_scenario(tmp_path: Path, out: Path) -> None:
    """A folder without scenarios is refused; under pytest it is pytest's own exit code for nothing collected."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refusal("run", str(empty), "--out", str(out)).startswith("no scenario was found")
    assert refusal("run", cwd=empty).startswith("no scenario is named: there is no folder scenarios/ here")
    assert scenarios(str(empty), "--out", str(out)).code == 5
    assert not out.exists()


def test_misspelt_scenario(out: Path) -> None:
    """A misspelt file and a misspelt name each give the nearest right one."""
    file = "scenarios/switching_to_vide.py"
    assert "; did you mean 'scenarios/switching" in refusal("run", file, "--out", str(out))
    said = refusal("run", SWITCHING.replace("replays", "replay"), "--out", str(out))
    assert said == f"no scenario is named '{SWITCHING.replace('replays', 'replay')}'; did you mean '{SWITCHING}'?"
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--flaw", "video-branch-skips-onwer"], f"did you mean '{FLAW}'?"),
        (
            ["--coverage", "exhaustiv"],
            (
                "--coverage exhaustiv: not known; there are auto, exhaustive and t-way:1 to t-way:6; "
                "did you mean 'exhaustive'?"
            ),
        ),
        (["--coverage", "t-way:9"], "--coverage t-way:9: not known; "),
        (["--sed", "1"], "No such option: --sed (Possible options: --seed, --set)"),
        (["--trial", "zzz"], "--trial: trial 'zzz' is not in the plan"),
        (["--target", "clinc"], "--target clinc: no such target; did you mean 'clinic'?"),
        (["--target", "nonesuch:Target"], "--target nonesuch:Target: No module named 'nonesuch'"),
        (["--target", "harness.targets.clinic:Clinic"], "has no attribute 'Clinic'"),
        (["--target", "http://127.0.0.1:1", "--flag-server", "http://127.0.0.1:1"], "nothing answers there"),
        (["--target", "http://127.0.0.1:1", "--flaw", FLAW], "--flaw is for the clinic that the harness starts itself"),
        (
            ["--target", "http://bo:b%40@[::1]:8/x@y"],
            "--target http://[::1]:8/x@y: give the address without user and password",
        ),
        (
            ["--target", "http://127.0.0.1:1", "--flag-server", "http://:pass@h/api"],
            "--flag-server http://h/api: give the address without user and password",
        ),
        (["--flag-server", "127.0.0.1:4242"], "--flag-server 127.0.0.1:4242: not an address"),
    ],
)
def test_option(good: str, earlier: Path, arguments: list[str], said: str) -> None:
    """A wrong option is refused in one line, and an earlier run's results stay as they are."""
    assert said in refusal("run", good, "--out", str(earlier), *arguments)


def test_option_under_pytest(good: str, earlier: Path) -> None:
    """`pytest` refuses a wrong option with the same exit code, and leaves an earlier run as it is."""
    ended = scenarios(good, "--out", str(earlier), "--flaw", "video-branch-skips-onwer")
    assert (ended.code, f"did you mean '{FLAW}'?" in ended.complained) == (4, True)


def test_command(tmp_path: Path) -> None:
    """An unknown command, an unknown format and no command at all exit 4."""
    assert refusal("rn") == "No such command 'rn'. Did you mean 'run'?"
    assert refusal("plan", "--format", "jso") == "--format jso: not known; there are text and json"
    assert refusal("check", str(tmp_path)) == f"{tmp_path}: no stored run is there (run.json is missing)"
    bare = harness()
    assert (bare.code, bare.said) == (4, "")
    assert "Commands:" in bare.complained


@pytest.mark.parametrize("kind", ["file", "foreign"])
def test_out_of_somebody_else(good: str, out: Path, kind: str) -> None:
    """A file, and a directory that holds anything foreign, are refused as --out and left untouched."""
    theirs = out if kind == "file" else out / "thesis.txt"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("years of work")
    assert refusal("run", good, "--out", str(out)).startswith(f"--out {out}: it ")
    assert theirs.read_text() == "years of work"


def test_out_in_use(good: str, out: Path, tmp_path: Path) -> None:
    """A second run in the directory of one that is under way is refused, and the first ends well."""
    with background(
        tmp_path / "first.log", HARNESS, "run", SWITCHING, "--out", str(out), "--flags", str(FLAGS)
    ) as first:
        first.wait_until("14 of 72 trials")
        # It stands still meanwhile, or it might have ended before the second has begun.
        first.interrupt(signal.SIGSTOP)
        before = set((out / "allure-results").glob("*.json"))
        try:
            assert refusal("run", good, "--out", str(out)) == (
                f"--out {out}: another run is writing there; give another directory"
            )
            assert before == set((out / "allure-results").glob("*.json"))
        finally:
            first.interrupt(signal.SIGCONT)
        assert first.end().code == 0
    assert len(list((out / "allure-results").glob("*-result.json"))) == 72


@pytest.mark.parametrize("option", ["--port", "--flag-port"])
def test_port_in_use(option: str) -> None:
    """`harness serve` says which port is taken, and starts nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--flag-port": "0"} | {option: port}
        said = refusal("serve", *[word for pair in ports.items() for word in pair])
    assert port in said
    assert "in use" in said


def test_serve_unknown_flaw() -> None:
    """`harness serve` gives the nearest right name of a flaw."""
    said = refusal("serve", "--port", "0", "--flag-port", "0", "--flaw", "video-branch-skips-onwer")
    assert said.endswith(f"there is no flaw 'video-branch-skips-onwer'; did you mean '{FLAW}'?")


def test_nothing_may_exit_0_unrun(good: str, out: Path) -> None:
    """A pytest setting that keeps everything from running cannot make a run that exits 0."""
    ended = harness("run", good, "--out", str(out), env={"PYTEST_ADDOPTS": "--collect-only"})
    assert ended.code == 4
    assert "nothing was run" in ended.complained
