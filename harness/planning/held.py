"""Flags that a plan holds at one variant: chosen with `--set FLAG=VARIANT`, or because nobody can switch them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.errors import UsageError, nearest
from harness.model import OFF, Catalogue, Constraint, Flag
from harness.planning.exhaustive import count
from harness.planning.plan import Literals

RELEASE = "release"


def read_choice(catalogue: Catalogue, text: str) -> tuple[str, str]:
    """Return flag and variant of `FLAG=VARIANT`; raise UsageError with the nearest right name."""
    name, equals, variant = (word.strip() for word in text.partition("="))
    found = next((flag for flag in catalogue.flags if flag.name == name), None)
    if found is None:
        raise UsageError(f"--set {text}: flag '{name}' is not in {catalogue.source}{nearest(name, catalogue.names)}")
    if not equals or variant not in found.variants:
        known = ", ".join(found.variants)
        raise UsageError(f"--set {text}: flag '{name}' has the variants {known}{nearest(variant, found.variants)}")
    return name, variant


def read_choices(catalogue: Catalogue, texts: Sequence[str]) -> Literals:
    """Return what several `--set` hold, in the catalogue's order; raise UsageError when two speak of one flag."""
    chosen: dict[str, str] = {}
    for text in texts:
        name, variant = read_choice(catalogue, text)
        if chosen.setdefault(name, variant) != variant:
            raise UsageError(f"--set {text}: flag '{name}' is set to {chosen[name]} too")
    return tuple((name, chosen[name]) for name in catalogue.names if name in chosen)


def held(catalogue: Catalogue, literals: Literals) -> Catalogue:
    """Return the catalogue in which only combinations with these variants are valid, which are its baseline too.

    Raises UsageError, with the constraint that is in the way where one is, when none has all of them.
    """
    chosen = dict(literals)
    rules = tuple(_only(catalogue, flag, variant) for flag, variant in literals)
    flags = tuple(_at(flag, chosen.get(flag.name, flag.baseline)) for flag in catalogue.flags)
    narrowed = replace(catalogue, flags=flags, constraints=(*catalogue.constraints, *rules))
    if not count(narrowed):
        broken = (each.reason for each in catalogue.constraints if _breaks(each, chosen))
        said = " ".join(f"--set {flag}={variant}" for flag, variant in literals)
        raise UsageError(f"{said}: {next(broken, f'no valid combination of {catalogue.source} has all of that')}")
    return narrowed


def held_at_baseline(catalogue: Catalogue) -> tuple[Catalogue, Literals]:
    """Return the catalogue of a deployment whose shared flags nobody switches, and what these flags are.

    It is the catalogue itself when every flag is told apart per user.
    """
    fixed = catalogue.shared(catalogue.baseline)
    return held(catalogue, fixed), fixed


def for_people(catalogue: Catalogue, chosen: Sequence[str]) -> Catalogue:
    """Return the catalogue with what people get as its baseline: each release on, as far as constraints allow.

    `chosen` has `FLAG=VARIANT`, which come first. Raises UsageError for what is unknown or breaks a constraint.
    """
    named = dict(read_choices(catalogue, chosen))
    values = dict(catalogue.baseline) | named
    for constraint in catalogue.constraints:
        if not constraint.allows(values):
            raise UsageError(f"--set {' --set '.join(chosen)}: {constraint.reason}")
    for flag in catalogue.flags:
        if flag.kind == RELEASE and flag.context == "user" and flag.name not in named and values[flag.name] == OFF:
            on = values | {flag.name: next(variant for variant in flag.variants if variant != OFF)}
            values = on if catalogue.allows(on) else values
    return replace(catalogue, flags=tuple(replace(flag, baseline=values[flag.name]) for flag in catalogue.flags))


def _at(flag: Flag, variant: str) -> Flag:
    """Return a flag with this baseline, which remembers what production has if that is another."""
    if variant == flag.baseline:
        return flag
    return replace(flag, baseline=variant, production=flag.usual)


def _only(catalogue: Catalogue, name: str, variant: str) -> Constraint:
    others = next(frozenset(flag.variants) - {variant} for flag in catalogue.flags if flag.name == name)
    return Constraint(((name, others),), f"this run holds {name}={variant}")


def _breaks(constraint: Constraint, chosen: Mapping[str, str]) -> bool:
    return all(chosen.get(flag) in variants for flag, variants in constraint.forbidden)
