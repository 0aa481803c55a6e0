"""The words of the field as frozen values: flags, combinations, trials, recordings, findings, verdicts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

Medium = Literal["audio", "video"]
Degree = Literal["presented", "opened", "proved"]
Role = Literal["patient", "clinician", "carer", "pharmacist", "operator"]
Wording = Literal["name", "note", "prescription", "metric"]
"""What words with a canary are: what somebody is called, what is noted or said, prescribed, measured."""
Context = Literal["user", "global", "start-up"]
Hands = Literal["api", "browser"]

OFF = "off"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Clause = tuple[tuple[str, frozenset[str]], ...]
"""Flags, each with some of its variants: it holds when every flag has one of those given with it."""


def degree_rank(degree: Degree | None) -> int:
    """Return how much a degree of exposure shows: presented 0, opened 1, proved 2; none at all -1."""
    return get_args(Degree).index(degree) if degree else -1


class Verdict(StrEnum):
    """What a check, a trial or a run may say; merging takes the worst."""

    VALID = "valid"
    UNKNOWN = "unknown"
    INVALID = "invalid"

    @staticmethod
    def merge(verdicts: Iterable[Verdict]) -> Verdict:
        """Return the worst: invalid beats unknown, unknown beats valid; of none at all, valid."""
        order = list(Verdict)
        return max(verdicts, key=order.index, default=Verdict.VALID)


@dataclass(frozen=True, slots=True)
class Flag:
    """A feature flag of the target. `off` is always a variant: any flag can be disabled.

    `context` says for whom it is evaluated: for a `user`, or for all of a deployment alike, be that without any
    user (`global`, as a background worker does) or once when the process begins (`start-up`). `production` is the
    variant that production has, where a run holds another one as its baseline.
    """

    name: str
    variants: tuple[str, ...] = (OFF, "on")
    baseline: str = OFF
    kind: str = "release"
    description: str = ""
    context: Context = "user"
    production: str | None = None

    @property
    def is_boolean(self) -> bool:
        """True when the flag is only switched off and on."""
        return self.variants == (OFF, "on")

    @property
    def usual(self) -> str:
        """The variant that production has, whatever a run holds."""
        return self.production or self.baseline


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule of valid combinations: these flags may not hold these variants together.

    `forbidden` is one clause, as in the CASA models: a combination breaks it when the clause holds. A parent is
    the clause `child on, parent off`.
    """

    forbidden: Clause
    reason: str

    def allows(self, values: Mapping[str, str]) -> bool:
        """Return False when all of the forbidden clause holds in `values`."""
        return not all(values[flag] in variants for flag, variants in self.forbidden)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The flags of a target in order, the constraints between them, and the file that they came from.

    `parents` repeats, for each child, the clause that must hold while it is on: a flag server is told of parents.
    """

    flags: tuple[Flag, ...]
    constraints: tuple[Constraint, ...] = ()
    parents: tuple[tuple[str, Clause], ...] = ()
    source: str = "<memory>"

    @property
    def names(self) -> tuple[str, ...]:
        """The flags' names, in the catalogue's order."""
        return tuple(flag.name for flag in self.flags)

    @property
    def baseline(self) -> Combination:
        """What a plan starts from: what production has before the release, but for flags that a run holds otherwise."""
        return Combination(tuple((flag.name, flag.baseline) for flag in self.flags))

    @property
    def production(self) -> Combination:
        """What production has before the release."""
        return Combination(tuple((flag.name, flag.usual) for flag in self.flags))

    @property
    def choices(self) -> tuple[str, ...]:
        """Each flag with each of its variants, as they are written: `cache=on`."""
        return tuple(f"{flag.name}={variant}" for flag in self.flags for variant in flag.variants)

    def shared(self, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return what `values` says of the flags that cannot be told apart per user; in order, none for most."""
        return tuple((flag.name, values[flag.name]) for flag in self.flags if flag.context != "user")

    def allows(self, values: Mapping[str, str]) -> bool:
        """Return True when no constraint is broken."""
        return all(constraint.allows(values) for constraint in self.constraints)


@dataclass(frozen=True, slots=True)
class Combination(Mapping[str, str]):
    """One variant for each flag, in the catalogue's order."""

    values_in_order: tuple[tuple[str, str], ...]

    def __getitem__(self, flag: str) -> str:
        for name, variant in self.values_in_order:
            if name == flag:
                return variant
        raise KeyError(flag)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.values_in_order)

    def __len__(self) -> int:
        return len(self.values_in_order)

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, the same for the same flags and variants in any run."""
        return short_id(*(f"{name}={variant}" for name, variant in sorted(self.values_in_order)))

    @property
    def label(self) -> str:
        """The flags that are not off, in the form that pytest's -k can select: `video_upgrade+paging_small`."""
        on = [
            name if variant == "on" else f"{name}_{variant}" for name, variant in self.values_in_order if variant != OFF
        ]
        return "+".join(on).replace("-", "_") or "all_off"

    def __str__(self) -> str:
        return " ".join(f"{name}={variant}" for name, variant in self.values_in_order)


@dataclass(frozen=True, slots=True)
class Trial:
    """Scenario x combination x seed: the unit of work, a value that can be printed, sharded, sent and rerun."""

    scenario: str
    combination: Combination
    seed: int = 0

    @property
    def id(self) -> str:
        """Eight hexadecimal digits of scenario and combination: one cell, whatever the seed."""
        return short_id(self.scenario, self.combination.id)


@dataclass(frozen=True, slots=True)
class Recording:
    """An entry of somebody's replay list: the target's own reference, and what the target says of it."""

    ref: str
    consultation: str
    medium: Medium


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, by whom, whose it was, to what degree, with the ledger entries as evidence."""

    check: str
    verdict: Verdict
    sentence: str
    degree: Degree | None = None
    viewer: str = ""
    owner: str = ""
    surface: str = ""
    recording: str = ""
    evidence: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Make of the sentence, which quotes what a target said, one that any file and terminal can hold."""
        object.__setattr__(self, "sentence", printable(self.sentence))


def printable(text: str) -> str:
    """Return a text that can be written anywhere, and does nothing to a terminal.

    What is no Unicode, such as half a pair of surrogates, is escaped, as are control characters but tab and newline.
    """
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text.encode("utf-8", "backslashreplace").decode())


def short_id(*parts: str) -> str:
    """Return eight hexadecimal digits that depend on every part and on their order."""
    digest = hashlib.blake2s(digest_size=4)
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
