"""Small random catalogues for the properties of planning and narrowing."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st

from harness.model import OFF, Catalogue, Combination, Constraint, Flag
from harness.planning.catalogue import load

UNTIMED = settings(deadline=None)
SIX_FLAGS = Path(__file__).parents[1] / "end_to_end" / "flags.toml"
CLINIC = load(SIX_FLAGS)
"""Six of the clinic's flags: 72 valid combinations."""
THIRTEEN = load(Path(__file__).with_name("thirteen.toml"))
"""7,776 valid combinations; `recorder-transcode` and `fast-sessions` cannot be told apart per user."""


@st.composite
def catalogues(draw: st.DrawFn, max_flags: int = 5, max_constraints: int = 5) -> Catalogue:
    """Draw a catalogue of one to `max_flags` flags and of arbitrary forbidden clauses."""
    flags = []
    for number in range(draw(st.integers(1, max_flags))):
        variants = draw(st.sampled_from([(OFF, "on"), (OFF, "small", "large"), ("on", OFF)]))
        flags.append(Flag(f"f{number}", variants, draw(st.sampled_from(variants))))
    constraints = []
    for number in range(draw(st.integers(0, max_constraints))):
        scope = draw(st.lists(st.sampled_from(flags), min_size=1, max_size=3, unique=True))
        clause = tuple((flag.name, draw(st.frozensets(st.sampled_from(flag.variants), min_size=1))) for flag in scope)
        constraints.append(Constraint(clause, f"rule {number}"))
    return Catalogue(tuple(flags), tuple(constraints))


def brute_force(catalogue: Catalogue) -> list[Combination]:
    """Every valid combination, by filtering the full product of the variants as they are written."""
    product = itertools.product(*(flag.variants for flag in catalogue.flags))
    rows = (Combination(tuple(zip(catalogue.names, row, strict=True))) for row in product)
    return [row for row in rows if catalogue.allows(row)]
