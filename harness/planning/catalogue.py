"""Read a flag catalogue from TOML: `[flags.NAME]` tables and `[[exclusions]]`.

A flag has a `description`, a `kind`, `variants` (default off and on), a `baseline` (default off), a `context`
(default user) and `parents`. A parent is written `"flag"` (it is not off) or `"flag=variant"`; a child may be
other than off only while each of its parents holds. An exclusion has `flags`, written the same way, which may
not all hold at once, and a `reason`. Every mistake is a UsageError of one line: file, line, what is wrong, and
the nearest right name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from harness.errors import UsageError, nearest
from harness.model import OFF, Catalogue, Constraint, Context, Flag
from harness.planning.exhaustive import count
from harness.planning.lines import index_lines, line_of

KINDS = ("release", "experiment", "operational", "kill switch", "permission")
CONTEXTS: tuple[str, ...] = get_args(Context)
MAX_BYTES = 1_000_000
MAX_FLAGS = 300

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_Place = tuple[str, ...]
_Literal = tuple[str, frozenset[str]]


def load(path: Path) -> Catalogue:
    """Return the catalogue that the TOML file describes, flags and constraints in the file's order.

    Raises UsageError for the first mistake, with the number of the others that were found beside it. What
    comes back has a baseline that keeps every constraint, and so at least one valid combination.
    """
    text = _read(path)
    report = _Report(path, index_lines(text))
    document = _parse(path, text)
    flags = {flag.name: flag for flag in _flags(document, report)}
    report.raise_first()
    parents = {name: tuple(_parents(flags, name, document, report)) for name in flags}
    exclusions = tuple(_exclusions(flags, document, report))
    report.raise_first()
    _check_cycles(parents, report)
    catalogue = Catalogue(
        flags=tuple(flags.values()),
        constraints=(*_parent_rules(flags, parents), *exclusions),
        parents=tuple((child, held) for child, held in parents.items() if held),
        source=str(path),
    )
    _check_baseline(catalogue, report)
    return catalogue


@dataclass(slots=True)
class _Report:
    """The mistakes that were found, with their lines."""

    path: Path
    lines: Mapping[_Place, int]
    problems: list[tuple[int, str]] = field(default_factory=list)

    def add(self, place: _Place, message: str) -> None:
        self.problems.append((line_of(self.lines, place), message))

    def raise_first(self) -> None:
        """Raise the mistake that stands first in the file, if there is any."""
        if not self.problems:
            return
        line, message = min(self.problems, key=lambda problem: problem[0])
        others = len(self.problems) - 1
        more = f" (and {others} more mistake{'s' if others > 1 else ''})" if others else ""
        on_one_line = " ".join(message.split())
        raise UsageError(f"{self.path}{f':{line}' if line else ''}: {on_one_line}{more}")


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the document, and what a mistake in it is called."""

    values: Mapping[str, object]
    place: _Place
    subject: str
    report: _Report

    def complain(self, key: str, message: str) -> None:
        self.report.add((*self.place, key), self.subject + message)

    def check_keys(self, *known: str) -> None:
        for key, value in self.values.items():
            if key not in known:
                dotted = f'; a name with a dot is written [flags."{self.place[-1]}.{key}"]' if self.place else ""
                hint = nearest(key, known) or (dotted if isinstance(value, dict) else "")
                self.complain(key, f"unknown key {key!r}{hint}")

    def text(self, key: str, default: str) -> str:
        value = self.values.get(key, default)
        if isinstance(value, str):
            return " ".join(value.split())
        self.complain(key, f'{key} must be text, such as {key} = "{default or "..."}"')
        return default

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self.values.get(key, default)
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.complain(key, f'{key} must be a list of texts, such as ["one", "two"]')
        return default


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        folder = path.parent
        if not folder.is_dir():
            raise UsageError(f"{path}: there is no folder '{folder}'") from None
        hint = nearest(path.name, sorted(other.name for other in folder.iterdir()))
        raise UsageError(f"{path}: there is no such file{hint}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path}: more than {MAX_BYTES:,} bytes: not a flag catalogue")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8 text") from error


def _parse(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise UsageError(f"{path}: broken TOML: nested too deeply") from error
    except ValueError as error:  # tomllib's own error, or the interpreter's limit on the digits of a number
        message = str(error)
        place = _TOML_PLACE.search(message)
        line, column = (place[1], place[2]) if place and place[1] else (len(text.splitlines()) or 1, 1)
        what = message[: place.start()] if place else message
        raise UsageError(f"{path}:{line}:{column}: broken TOML: {what}") from error


def _flags(document: Mapping[str, object], report: _Report) -> Iterator[Flag]:
    _Table(document, (), "", report).check_keys("flags", "exclusions")
    tables = document.get("flags", {})
    if not isinstance(tables, dict):
        report.add(("flags",), "'flags' must hold tables: [flags.NAME]")
        return
    if not tables and not report.problems:
        report.add(("flags",), "no flags: a catalogue needs at least one table [flags.NAME]")
    if len(tables) > MAX_FLAGS:
        report.add(("flags",), f"{len(tables)} flags are more than {MAX_FLAGS}")
    for name, values in tables.items():
        if not _NAME.fullmatch(name):
            report.add(("flags", name), f"flag name {name!r}: use letters, digits, '-', '_' and '.' only")
        elif not isinstance(values, dict):
            report.add(("flags", name), f"flag '{name}' must be a table: [flags.{name}]")
        else:
            yield _flag(name, _Table(values, ("flags", name), f"flag '{name}': ", report))


def _flag(name: str, table: _Table) -> Flag:
    table.check_keys("description", "kind", "variants", "baseline", "context", "parents")
    table.texts("parents")
    kind = _one_of(table, "kind", KINDS)
    context = cast("Context", _one_of(table, "context", CONTEXTS))
    variants = table.texts("variants", (OFF, "on"))
    for complaint in _wrong_variants(variants):
        table.complain("variants", complaint)
    baseline = table.text("baseline", OFF)
    if "baseline" in table.values and baseline not in variants:
        known = f"{', '.join(variants)}{nearest(baseline, variants)}"
        table.complain("baseline", f"baseline {baseline!r} is not one of the variants {known}")
    return Flag(name, variants, baseline, kind, table.text("description", ""), context)


def _one_of(table: _Table, key: str, known: tuple[str, ...]) -> str:
    """Return one of the known words, the first when none is given."""
    word = table.text(key, known[0])
    if word not in known:
        table.complain(key, f"{key} {word!r} is none of {', '.join(known)}{nearest(word, known)}")
    return word


def _wrong_variants(variants: Sequence[str]) -> Iterator[str]:
    for variant in dict.fromkeys(variants):
        if variants.count(variant) > 1:
            yield f"variant {variant!r} is given twice"
        if not _NAME.fullmatch(variant):
            yield f"variant {variant!r}: use letters, digits, '-', '_' and '.' only"
    if OFF not in variants:
        yield f"variants must hold '{OFF}', since any flag can be disabled"
    elif len(set(variants)) < 2:
        yield f"variants must hold at least one beside '{OFF}'"


def _parents(flags: Mapping[str, Flag], child: str, document: Mapping[str, Any], report: _Report) -> Iterator[_Literal]:
    """Yield the parents of a flag, each with the variants that let the child be other than off."""
    table = _Table(document["flags"][child], ("flags", child), f"flag '{child}': parent ", report)
    return _literals(flags, table, "parents")


def _exclusions(flags: Mapping[str, Flag], document: Mapping[str, object], report: _Report) -> Iterator[Constraint]:
    tables = document.get("exclusions", [])
    if not isinstance(tables, list) or not all(isinstance(values, dict) for values in tables):
        report.add(("exclusions",), "'exclusions' must be tables: [[exclusions]]")
        return
    for number, values in enumerate(tables):
        table = _Table(values, ("exclusions", str(number)), f"exclusion {number + 1}: ", report)
        table.check_keys("flags", "reason")
        reason = table.text("reason", "")
        if not reason:
            table.complain("reason", "a reason is needed: it is printed with every plan")
        if not table.values.get("flags"):
            table.complain("flags", "flags must name what may not hold at once")
        yield Constraint(tuple(_literals(flags, table, "flags")), reason)


def _literals(flags: Mapping[str, Flag], table: _Table, key: str) -> Iterator[_Literal]:
    """Yield (flag, variants) for each `flag` or `flag=variant` under the key that names what exists."""
    seen: set[str] = set()
    for text in table.texts(key):
        name, equals, variant = text.partition("=")
        flag = flags.get(name)
        if flag is None:
            table.complain(key, f"{name!r} is not a flag of this catalogue{nearest(name, flags)}")
        elif equals and variant not in flag.variants:
            known = f"{', '.join(flag.variants)}{nearest(variant, flag.variants)}"
            table.complain(key, f"'{name}': {variant!r} is not one of its variants {known}")
        elif name in seen:
            table.complain(key, f"'{name}' is given twice")
        else:
            yield name, frozenset({variant}) if equals else frozenset(flag.variants) - {OFF}
        seen.add(name)


def _parent_rules(flags: Mapping[str, Flag], parents: Mapping[str, tuple[_Literal, ...]]) -> Iterator[Constraint]:
    for child, held in parents.items():
        for parent, allowed in held:
            others = frozenset(flags[parent].variants) - allowed
            needed = parent if others == {OFF} else f"{parent}={min(allowed)}"
            clause = (child, frozenset(flags[child].variants) - {OFF}), (parent, others)
            yield Constraint(clause, f"{child} needs {needed}")


def _check_cycles(parents: Mapping[str, tuple[_Literal, ...]], report: _Report) -> None:
    """Raise for a flag that is, through its parents, a parent of itself."""
    settled: set[str] = set()
    for start in parents:
        trail = [start]
        branches = [iter(parents[start])]
        while trail:
            parent = next((name for name, _ in branches[-1] if name not in settled), None)
            if parent is None:
                settled.add(trail.pop())
                branches.pop()
            elif parent in trail:
                cycle = [*trail[trail.index(parent) :], parent]
                what = "is its own parent" if len(cycle) == 2 else "is in a cycle of parents"
                report.add(("flags", parent, "parents"), f"flag '{parent}' {what}: {' -> '.join(cycle)}")
                report.raise_first()
            else:
                trail.append(parent)
                branches.append(iter(parents[parent]))


def _check_baseline(catalogue: Catalogue, report: _Report) -> None:
    """Raise when no combination is valid, or when the baseline is not one of those that are."""
    baseline = catalogue.baseline
    broken = next((rule for rule in catalogue.constraints if not rule.allows(baseline)), None)
    if broken is None:
        return
    if not count(catalogue):
        report.add((), f"the constraints leave no valid combination; one of them: {broken.reason}")
        report.raise_first()
    held = " ".join(f"{flag}={baseline[flag]}" for flag, _ in broken.forbidden)
    place = ("flags", broken.forbidden[0][0], "baseline")
    report.add(place, f"the baseline breaks a constraint: {broken.reason} (baseline: {held})")
    report.raise_first()
