"""One static snapshot for every combination: each user's name carries the combination that the user plays.

The target hands the name to its Unleash SDK (as `userId`, unless its `Audience` says otherwise). Variant `j`
of flag `i` has one strategy, for names that hold `+i.j+`; so users under different combinations act side by
side on one deployment, and nothing is switched between trials. Only a flag that the target evaluates for nobody
in particular is the same for all: another variant of it needs another deployment. The words of the document are
those of the Unleash client protocol, version 2 (tag `Client` of unleash-server's OpenAPI,
https://docs.getunleash.io).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from harness.errors import UsageError, nearest
from harness.model import OFF, Catalogue, Flag

MARK: Final = "~+"
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
UNLEASH_FIELDS: Final = frozenset({"userId", "sessionId", "remoteAddress"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """How the target's flags tell users apart: the Unleash context's field that holds the user's name."""

    context_field: str = "userId"

    def context(self, username: str) -> Json:
        """Return the Unleash context that the target builds for this user."""
        if self.context_field in UNLEASH_FIELDS:
            return {self.context_field: username}
        return {"properties": {self.context_field: username}}


BY_USER_ID: Final = Audience()


def token(catalogue: Catalogue, combination: Mapping[str, str]) -> str:
    """Return the combination as it stands in a user's name, such as `~+0.1+3.2+`.

    `i.j` says that flag `i` of the catalogue has its variant number `j`; flags that are off are left out.
    Raises UsageError when a flag is missing or unknown, or has no such variant.
    """
    for name in combination:
        if name not in catalogue.names:
            raise UsageError(f"flag '{name}' is not in {catalogue.source}{nearest(name, catalogue.names)}")
    parts = []
    for index, flag in enumerate(catalogue.flags):
        if flag.name not in combination:
            raise UsageError(f"the combination says nothing about flag '{flag.name}' of {catalogue.source}")
        variant = combination[flag.name]
        if variant not in flag.variants:
            hint = nearest(variant, flag.variants)
            raise UsageError(f"flag '{flag.name}' has no variant '{variant}'{hint}")
        if variant != OFF:
            parts.append(f"{index}.{flag.variants.index(variant)}+")
    return MARK + "".join(parts)


def username(name: str, unique: str, token: str) -> str:
    """Return the name under which an actor signs up, such as `alice-7f3a~+0.1+`.

    Raises UsageError when a part could be mistaken for a token or the token is none.
    """
    for part in (name, unique):
        if "+" in part or "~" in part:
            raise UsageError(f"'{part}' cannot be part of a username: '+' and '~' are kept for the flags")
    if not token.startswith(MARK):
        raise UsageError(f"'{token}' is not a token: it has to start with '{MARK}'")
    return f"{name}-{unique}{token}"


def differences(wanted: Mapping[str, str], seen: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each wanted flag that was seen otherwise or not at all; empty when all agree.

    What is seen beyond the wanted flags does not matter: a target may have flags outside the catalogue.
    """
    return tuple(
        f"{flag} is '{seen[flag]}', wanted '{variant}'"
        if flag in seen
        else f"{flag} is not reported, wanted '{variant}'"
        for flag, variant in wanted.items()
        if seen.get(flag) != variant
    )


def shared_values(catalogue: Catalogue, shared: Mapping[str, str]) -> dict[str, str]:
    """Return the variant of each flag that is not told apart per user: as given, else its baseline.

    Raises UsageError when another flag is given.
    """
    held = dict(catalogue.shared(catalogue.baseline))
    for name in shared:
        if name not in held:
            raise UsageError(f"flag '{name}' of {catalogue.source} is told apart per user and cannot be shared")
    return held | dict(shared)


def snapshot(catalogue: Catalogue, audience: Audience = BY_USER_ID, shared: Mapping[str, str] = NOTHING) -> Json:
    """Return the Unleash client-features document that serves every combination of the catalogue at once.

    Users without a token, and evaluations without any user, get each flag's baseline. Flags that are not told
    apart per user have one variant for everybody, whoever asks: that in `shared`, else their baseline.
    """
    held = shared_values(catalogue, shared)
    return {
        "version": 2,
        "features": [
            {
                "name": flag.name,
                "type": flag.kind,
                "description": flag.description,
                "enabled": held.get(flag.name) != OFF,
                "stale": False,
                "project": "default",
                "impressionData": False,
                "strategies": _for_everybody(flag, held[flag.name])
                if flag.name in held
                else _strategies(index, flag, audience.context_field),
                "variants": [],
                # What is the same for everybody must not depend on what each user has.
                "dependencies": [] if flag.name in held else _dependencies(flag, catalogue),
            }
            for index, flag in enumerate(catalogue.flags)
        ],
    }


def encode(document: Json) -> bytes:
    """Return the document as the bytes that go over the wire, the same for the same document."""
    return json.dumps(document, separators=(",", ":")).encode()


def etag_of(body: bytes) -> str:
    """Return the strong entity tag (RFC 9110, 8.8.3) of a body, with its quotation marks."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _strategies(index: int, flag: Flag, field: str) -> list[Json]:
    strategies = [
        _strategy(flag, variant, [_contains(field, MARK), _contains(field, f"+{index}.{number}+")])
        for number, variant in enumerate(flag.variants)
        if variant != OFF
    ]
    if flag.baseline != OFF:
        strategies.append(_strategy(flag, flag.baseline, [_contains(field, MARK, inverted=True)]))
    return strategies


def _for_everybody(flag: Flag, variant: str) -> list[Json]:
    return [] if variant == OFF else [_strategy(flag, variant, [])]


def _strategy(flag: Flag, variant: str, constraints: list[Json]) -> Json:
    strategy: Json = {"name": "default", "parameters": {}, "constraints": constraints}
    if not flag.is_boolean:
        strategy["variants"] = [{"name": variant, "weight": 1000, "stickiness": "default"}]
    return strategy


def _contains(field: str, part: str, *, inverted: bool = False) -> Json:
    return {
        "contextName": field,
        "operator": "STR_CONTAINS",
        "values": [part],
        "inverted": inverted,
        "caseInsensitive": False,
    }


def _dependencies(flag: Flag, catalogue: Catalogue) -> list[Json]:
    """Return the flag's parents as far as Unleash can say them; the combinations themselves keep the others.

    The SDKs hold a child off for ever when its parent has a parent, and a dependency cannot ask for "off or
    one of these variants": such rules are left to the catalogue's constraints.
    """
    parents = dict(catalogue.parents)
    flags = {known.name: known for known in catalogue.flags}
    dependencies = []
    for parent, variants in parents.get(flag.name, ()):
        if parents.get(parent):
            continue
        above = frozenset(flags[parent].variants) - {OFF}
        if variants == {OFF}:
            dependencies.append({"feature": parent, "enabled": False})
        elif OFF not in variants:
            dependency: Json = {"feature": parent, "enabled": True}
            if variants and variants != above:
                dependency["variants"] = sorted(variants)
            dependencies.append(dependency)
    return dependencies
