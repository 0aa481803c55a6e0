"""From a program to Python: what is played is the very text that is written down as an ordinary scenario file."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.explore.program import PATIENTS, AtOnce, Book, Program, Step, Verb
from harness.scenario import Clinician, Patient, Scenario, Story

VISITS = ("first", "second", "third", "fourth", "fifth")
INDENT = "    "
WIDTH = 120


@dataclass(frozen=True, slots=True)
class Words:
    """What a scenario file says beside its story: a sentence, paragraphs, and the command that plays it again.

    The command is in parts that belong on one line each, such as an option with its value.
    """

    sentence: str
    paragraphs: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def scenario_of(program: Program, name: str) -> Scenario:
    """Return the scenario that a program's file defines, without writing the file."""
    source = _function(program, name)
    names: dict[str, Any] = {each: getattr(harness, each) for each in harness.__all__}
    exec(compile(f"from contextlib import suppress\n{source}", f"{name}.py", "exec"), names)  # noqa: S102 - our own words
    story: Story = names[name]
    cast = tuple((actor, Patient if actor in PATIENTS else Clinician) for actor in program.cast)
    return Scenario(name, story, cast, (), Path(f"{name}.py"), 2)


def source_of(program: Program, name: str, flags: tuple[str, ...], words: Words) -> str:
    """Return the text of a scenario file that tells the program, in the style of `ruff format`."""
    imported = ", ".join(sorted(_imported(program), key=lambda each: (each[0].islower(), each)))
    head = "from contextlib import suppress\n\n" if _is_refused(program) else ""
    listed = ", ".join(f'"{flag}"' for flag in flags)
    about = f"@scenario(flags=[{listed}])" if flags else "@scenario()"
    if len(about) > WIDTH:
        lines = "".join(f'{2 * INDENT}"{flag}",\n' for flag in flags)
        about = f"@scenario(\n{INDENT}flags=[\n{lines}{INDENT}]\n)"
    return f"{head}from harness import {imported}\n\n\n{about}\n{_function(program, name, _docstring(words))}"


def story_of(program: Program) -> str:
    """Return the statements of the story, to be shown to people."""
    return "\n".join(_body(program)) + "\n"


def _function(program: Program, name: str, docstring: str = "") -> str:
    cast = [f"{actor}: {'Patient' if actor in PATIENTS else 'Clinician'}" for actor in program.cast]
    head = f"async def {name}({', '.join(cast)}) -> None:"
    if len(head) > WIDTH:
        head = f"async def {name}(\n{INDENT}{', '.join(cast)}\n) -> None:"
    return "\n".join([head, *docstring.splitlines(), textwrap.indent("\n".join(_body(program)), INDENT)]) + "\n"


def _docstring(words: Words) -> str:
    wrap = textwrap.TextWrapper(WIDTH - 2 * len(INDENT), break_on_hyphens=False, break_long_words=False).wrap
    lines = wrap(words.sentence)
    for paragraph in words.paragraphs:
        lines += ["", *wrap(paragraph)]
    if words.command:
        lines += ["", *_wrapped(words.command)]
    first, *more = _literal([_printable(line) for line in lines])
    if not more:
        return f'{INDENT}{first}"""'
    return "\n".join([f"{INDENT}{first}", *(f"{INDENT}{each}".rstrip() for each in more), f'{INDENT}"""'])


def _literal(lines: list[str]) -> list[str]:
    """Return the lines of a string with the mark that begins it; nothing that the target said can end it."""
    body = "\n".join(lines)
    if '"""' not in body and not body.endswith(('"', "\\")):
        # As it is, so that a command can be pasted from the file.
        mark = 'r"""' if "\\" in body else '"""'
        return [mark + lines[0], *lines[1:]]
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return [f'"""{escaped[0]}', *escaped[1:]]


def _printable(line: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def _wrapped(command: tuple[str, ...]) -> list[str]:
    """Return a command on as many lines as it needs, each but the last with the shell's sign that it goes on."""
    lines = [""]
    for part in command:
        if lines[-1] and len(lines[-1]) + len(part) > WIDTH - 3 * len(INDENT):
            lines[-1] += " \\"
            lines.append(" ")
        lines[-1] = f"{lines[-1]} {part}" if lines[-1] else part
    return [f"{INDENT}{line}" for line in lines]


def _imported(program: Program) -> Iterator[str]:
    yield from ("Clinician", "Patient", "scenario")
    if program.overlaps:
        yield "together"
    if _is_refused(program):
        yield "TargetError"


def _is_refused(program: Program) -> bool:
    return any(verb.refusable for verb in program.verbs)


def _body(program: Program) -> Iterator[str]:
    before: Step | None = None
    used = {verb.visit for verb in program.verbs}
    for step in program.steps:
        if before is not None and type(step) is not type(before):
            yield ""
        yield from _statements(step, used)
        before = step


def _statements(step: Step, used: Collection[int]) -> Iterator[str]:
    if isinstance(step, Book):
        named = f"{VISITS[step.visit]} = " if step.visit in used else ""
        yield f'{named}await {step.patient}.book({step.clinician}, medium="{step.medium}")'
    elif isinstance(step, AtOnce):
        yield "async with together() as at_once:"
        for verb in step.verbs:
            called = ", ".join((f"{VISITS[verb.visit]}.{verb.deed}", *_arguments(verb)))
            yield from textwrap.indent("\n".join(_guarded(verb, f"at_once({called})")), INDENT).splitlines()
    elif step.refusable:
        yield "with suppress(TargetError):  # a sound target refuses this"
        yield f"{INDENT}{_call(step)}"
    else:
        yield from _guarded(step, _call(step))


def _guarded(verb: Verb, statement: str) -> Iterator[str]:
    """Yield the statement; a further switch only where the medium is the other one: the one before may be refused."""
    if verb.repeated:
        yield f'if {VISITS[verb.visit]}.medium != "{verb.medium}":'
        statement = INDENT + statement
    yield statement


def _call(verb: Verb) -> str:
    return f"await {VISITS[verb.visit]}.{verb.deed}({', '.join(_arguments(verb))})"


def _arguments(verb: Verb) -> Iterator[str]:
    yield from verb.actors
    if verb.medium:
        yield f'switch_to="{verb.medium}"' if verb.deed == "hold" else f'"{verb.medium}"'
