"""A catalogue that is hard to serve, its valid combinations, and a flag server that serves it."""

import itertools
from collections.abc import Iterator

import pytest

from harness.flags.embedded import EmbeddedFlags
from harness.model import OFF, Catalogue, Combination, Constraint, Flag


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Twelve flags, so that `10.1` stands beside `0.1`: two of several variants, parents, a grandparent."""
    flags = (
        Flag("video-upgrade"),
        Flag("replay-cache", baseline="on"),
        Flag("paging", (OFF, "small", "large"), baseline="small"),
        Flag("paging-cursor"),
        Flag("large-thumbnails"),
        Flag("upgrade-notice"),
        Flag("upgrade-notice-sound"),
        Flag("search"),
        Flag("export", (OFF, "zip", "tar"), kind="experiment"),
        Flag("captions"),
        Flag("replay-access", baseline="on", kind="kill-switch"),
        Flag("audio-only"),
    )
    parents = (
        ("paging-cursor", (("paging", frozenset({"small", "large"})),)),
        ("large-thumbnails", (("paging", frozenset({"large"})),)),
        ("upgrade-notice", (("video-upgrade", frozenset({"on"})),)),
        ("upgrade-notice-sound", (("upgrade-notice", frozenset({"on"})),)),
        ("audio-only", (("video-upgrade", frozenset({OFF})),)),
    )
    variants = {flag.name: frozenset(flag.variants) for flag in flags}
    constraints = tuple(
        Constraint(((child, variants[child] - {OFF}), (parent, variants[parent] - allowed)), f"parent of {child}")
        for child, rules in parents
        for parent, allowed in rules
    )
    return Catalogue(flags, constraints, parents, "flags/test.toml")


@pytest.fixture(scope="session")
def combinations(catalogue: Catalogue) -> list[Combination]:
    """Every valid combination of the catalogue, by plain enumeration."""
    choices = [[(flag.name, variant) for variant in flag.variants] for flag in catalogue.flags]
    every = (Combination(values) for values in itertools.product(*choices))
    return [combination for combination in every if catalogue.allows(combination)]


@pytest.fixture
def flags(catalogue: Catalogue) -> Iterator[EmbeddedFlags]:
    """A flag server in a process of its own that serves the catalogue; stopped afterwards."""
    with EmbeddedFlags.start(catalogue) as served:
        yield served
