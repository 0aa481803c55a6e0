"""The payload: what goes in comes out, and what is not ours does not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.canary import DEFAULT_KEY, MODES, PAYLOAD_BITS, TAG_BITS, Canary, new_run, pack, unpack

canaries = st.builds(
    Canary,
    run=st.integers(0, 2**20 - 1),
    user=st.integers(0, 2**16 - 1),
    call=st.integers(0, 31),
    mode=st.integers(0, 7),
)
payloads = st.integers(0, 2**PAYLOAD_BITS - 1)


@given(canaries, st.binary(max_size=32))
def test_round_trip(canary: Canary, key: bytes) -> None:
    """A canary survives packing and unpacking under any key."""
    value = pack(canary, key)
    assert 0 <= value < 2**PAYLOAD_BITS
    assert unpack(value, key) == canary


@given(canaries, canaries)
def test_different_canaries_have_different_payloads(one: Canary, other: Canary) -> None:
    """Packing is injective."""
    assert (pack(one) == pack(other)) == (one == other)


def test_layout() -> None:
    """The fields stand at the bits that the documented layout gives them."""
    value = pack(Canary(run=0xABCDE, user=0x1234, call=0b10101, mode=0b011))
    assert value >> TAG_BITS == 0xABCDE << 24 | 0x1234 << 8 | 0b10101_011


def test_payloads_are_stable() -> None:
    """Media of an earlier release of the harness keeps its meaning: layout, hash and key are pinned."""
    assert pack(Canary(run=1, user=2, call=3, mode=1)) == 17592749241816


@given(canaries, st.integers(0, PAYLOAD_BITS - 1))
def test_a_flipped_bit_is_noticed_or_changes_the_tag(canary: Canary, bit: int) -> None:
    """No payload with one flipped bit unpacks to the canary that it was made of."""
    assert unpack(pack(canary) ^ 1 << bit) != canary


@given(canaries, st.integers(1, 2**TAG_BITS - 1))
def test_a_wrong_tag_is_refused(canary: Canary, difference: int) -> None:
    """Every other tag beside the right one is refused."""
    assert unpack(pack(canary) ^ difference) is None


def test_another_key_is_refused() -> None:
    """Payloads of another key pass no more often than chance allows."""
    foreign = [pack(Canary(run, 7, 1, 0), b"another key") for run in range(2000)]
    assert sum(unpack(value, DEFAULT_KEY) is not None for value in foreign) <= 1


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=2**PAYLOAD_BITS)))
def test_numbers_beyond_64_bits_are_refused(value: int) -> None:
    """A number that is no 64-bit payload unpacks to nothing and raises nothing."""
    assert unpack(value) is None


@given(payloads)
def test_whatever_unpacks_packs_to_itself(value: int) -> None:
    """Unpacking accepts only what packing makes."""
    canary = unpack(value)
    assert canary is None or pack(canary) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [("run", 2**20), ("user", 2**16), ("call", 32), ("mode", 8), ("run", -1), ("user", -1), ("mode", -1)],
)
def test_ranges(field: str, value: int) -> None:
    """A number that does not fit its field is refused by name."""
    numbers = {"run": 0, "user": 0, "call": 0, "mode": 0, field: value}
    with pytest.raises(ValueError, match=f"canary {field} {value}"):
        Canary(**numbers)


def test_new_runs_differ_and_fit() -> None:
    """Run numbers come from the system's entropy and are valid in a canary."""
    runs = {new_run() for _ in range(50)}
    assert len(runs) > 40
    assert all(Canary(run, 0, 0, 0).run == run for run in runs)


def test_modes_name_the_media() -> None:
    """Mode 0 is audio and mode 1 is video."""
    assert (MODES.index("audio"), MODES.index("video")) == (0, 1)


def test_a_random_number_passes_no_more_often_than_its_tag_allows() -> None:
    """Of 2**17 random 64-bit numbers at most two pass, where 2**-20 each lets one through in eight such draws."""
    draw = random.Random(5)  # noqa: S311 - it needs no secrecy
    assert sum(unpack(draw.getrandbits(PAYLOAD_BITS)) is not None for _ in range(1 << 17)) <= 2


@given(canaries, st.sets(st.integers(0, PAYLOAD_BITS - 1), min_size=1))
def test_no_other_number_is_a_canary_but_by_chance(canary: Canary, bits: set[int]) -> None:
    """However many bits of a payload were misread, it is refused, or it is what another canary packs to."""
    misread = pack(canary) ^ sum(1 << bit for bit in bits)
    taken_for = unpack(misread)
    assert taken_for is None or (taken_for != canary and pack(taken_for) == misread)
