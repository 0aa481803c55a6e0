"""A program as Python: the file is in house style, is a scenario, and tells the program step by step."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.drilling.stories import scenarios_in
from harness.errors import TargetError
from harness.explore.program import AtOnce, Book, Program, Step, Verb
from harness.explore.render import Words, scenario_of, source_of

from .made import ROOT, baseline, clinic, programs

WORDS = Words(
    "Foreign media: bob's replay list served video that chen emitted in visit-1; bob was never in visit-1.",
    ("Found by `harness explore --seed 3 --budget 60s`: " + "a long sentence, " * 12 + "and its end.",),
    ("harness run a/file.py", *(f"--set a-flag-of-a-long-name-{number}=on" for number in range(5))),
)


@dataclass
class _Fake:
    """Stands for an actor or a visit: what is asked of it is written down as the program would say it."""

    told: list[tuple[Any, ...]]
    refuses: Sequence[bool] = ()
    name: str = ""
    medium: str = ""
    number: int = 0
    visits: list[_Fake] = field(default_factory=list)

    async def book(self, clinician: _Fake, *, medium: str) -> _Fake:
        """Return the next visit."""
        visit = _Fake(self.told, self.refuses, medium=medium, number=len(self.visits), visits=self.visits)
        self.visits.append(visit)
        self.told.append(("book", visit.number, self.name, clinician.name, medium))
        return visit

    def __getattr__(self, deed: str) -> Any:
        if deed.startswith("_"):
            raise AttributeError(deed)

        async def do(*given: Any, switch_to: str | None = None) -> bool:
            names = tuple(each.name for each in given if isinstance(each, _Fake))
            medium = switch_to or next((each for each in given if isinstance(each, str)), None)
            self.told.append((deed, self.number, names, medium))
            if self.refuses and self.refuses[len(self.told) - 1]:
                raise TargetError("409", definite=True)
            if deed == "switch" and medium:
                self.medium = medium
            return True

        return do


def test_files_are_in_house_style(tmp_path: Path) -> None:
    """`ruff format` and `ruff check` have nothing to say of any file."""
    for number, program in enumerate(programs()):
        flags = tuple(flag for flag, _ in program.changed(clinic()))
        (tmp_path / f"explored_{number}.py").write_text(source_of(program, f"explored_{number}", flags, WORDS))
    ruff = Path(sys.executable).with_name("ruff")
    # A scenario file needs no docstring of its own, and no package around it.
    rules = ["--config", str(ROOT / "pyproject.toml"), "--ignore", "D100,INP"]
    for command in (["format", "--check", *rules[:2]], ["check", "--no-cache", *rules]):
        done = subprocess.run([ruff, *command, tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_file_is_an_ordinary_scenario(tmp_path: Path) -> None:
    """What is saved is found as any scenario is, with its cast, its flags and its sentence."""
    program = programs()[0]
    file = tmp_path / "explored_it.py"
    file.write_text(source_of(program, "explored_it", ("video-upgrade",), WORDS))
    found = scenarios_in([file])["explored_it"]
    assert found.flags == ("video-upgrade",)
    assert tuple(name for name, _ in found.cast) == program.cast
    assert WORDS.sentence.startswith(found.summary)


@pytest.mark.parametrize("command", [(), ("harness run a/file.py", *(f"--set a-long-flag-{n}=on" for n in range(9)))])
@pytest.mark.parametrize(
    "said",
    [
        'rec""" + print("RUN") or """',
        'rec"',
        "rec\\",
        'rec\\"',
        '"rec',
        'rec\\""" + print("RUN") #',
        "a\x00b\ud800c\u2028d",
    ],
)
def test_what_the_target_says_is_no_code(said: str, command: tuple[str, ...]) -> None:
    """An id of the target's stands in the docstring, letter by letter, and ends it nowhere."""
    words = Words(f"Foreign media: bob's list served {said}", (), command)
    source = source_of(programs()[0], "explored_it", (), words).encode()
    story = next(node for node in ast.parse(source).body if isinstance(node, ast.AsyncFunctionDef))
    told = ast.get_docstring(story) or ""
    if said.isprintable():
        assert told.startswith(f"Foreign media: bob's list served {said}")
    assert " ".join(command) in " ".join(told.replace("\\\n", "").split())
    assert not any("print" in ast.unparse(statement) for statement in story.body[1:])


def test_a_command_can_be_pasted_from_the_file() -> None:
    """The line that goes on ends in one backslash, as a shell takes it."""
    text = source_of(programs()[0], "explored_it", (), WORDS)
    assert "=on \\\n" in text
    assert "\\\\" not in text


def test_it_tells_the_program() -> None:
    """Played, a story does just what the program says, in its order, and goes on where a refusal was expected."""
    for program in programs():
        told: list[tuple[Any, ...]] = []
        wanted = [each for step in program.steps for each in _as_told(step)]
        refused = [isinstance(step, Verb) and step.refusable for step in program.steps for _ in _as_told(step)]
        shared: list[_Fake] = []
        actors = {name: _Fake(told, refused, name=name, visits=shared) for name in program.cast}
        asyncio.run(_tell(program, actors))
        assert told == wanted


def test_a_refused_switch_is_not_taken_back() -> None:
    """Where the first switch was refused the switch back is not asked for: the medium is what it was."""
    steps: tuple[Step, ...] = (
        Book(0, "alice", "chen", "audio"),
        Verb("join", 0, ("alice",)),
        Verb("switch", 0, ("alice",), "video"),
        Verb("switch", 0, ("alice",), "audio", repeated=True),
    )
    program = Program(steps, baseline())
    told: list[tuple[Any, ...]] = []

    class Refusing(_Fake):
        async def book(self, clinician: _Fake, *, medium: str) -> _Fake:
            visit = await super().book(clinician, medium=medium)
            visit.switch = lambda *given: asyncio.sleep(0, told.append(given) or False)  # type: ignore[attr-defined, func-returns-value]  # what a definite refusal returns
            return visit

    asyncio.run(_tell(program, {name: Refusing(told, name=name) for name in program.cast}))
    assert [each[-1] for each in told if "video" in each or "audio" in each] == ["audio", "video"]


async def _tell(program: Program, actors: dict[str, _Fake]) -> None:
    await scenario_of(program, "explored_it").story(**actors)


def _as_told(step: Step) -> list[tuple[Any, ...]]:
    if isinstance(step, Book):
        return [("book", step.visit, step.patient, step.clinician, step.medium)]
    return [_of(verb) for verb in (step.verbs if isinstance(step, AtOnce) else (step,))]


def _of(verb: Verb) -> tuple[Any, ...]:
    return verb.deed, verb.visit, verb.actors, verb.medium
