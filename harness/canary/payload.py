"""The payload: who emitted a piece of media, packed into the 64 bits that picture and sound can carry.

The layout, from the most significant bit: run 20, user 16, segment 8 (call 5, mode 3), tag 20. The tag
is a keyed BLAKE2s hash (RFC 7693) of the other 44 bits, so that a misread payload is known for one.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, fields

from harness.model import Medium, Wording

RUN_BITS, USER_BITS, CALL_BITS, MODE_BITS, TAG_BITS = 20, 16, 5, 3, 20
BODY_BITS = RUN_BITS + USER_BITS + CALL_BITS + MODE_BITS
PAYLOAD_BITS = BODY_BITS + TAG_BITS

MODES: tuple[Medium | Wording, ...] = ("audio", "video", "name", "note", "prescription", "metric")
"""What an actor was emitting, media or words, by mode number; the numbers above are free."""

DEFAULT_KEY = b"consultation-harness canary 1"
"""The key of every run. It is no secret: the tag guards against chance, not against an attacker. It is the
same in all runs so that media of an earlier run is recognised as ours, and therefore as foreign."""

_BITS = {"run": RUN_BITS, "user": USER_BITS, "call": CALL_BITS, "mode": MODE_BITS}


@dataclass(frozen=True, slots=True)
class Canary:
    """The run, the user within it, the user's call within the trial, and the mode of that call's segment.

    Raises ValueError for a number that does not fit its field: run below 2**20, user below 2**16, call
    below 32, mode below 8, none negative.
    """

    run: int
    user: int
    call: int
    mode: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value, bits = getattr(self, field.name), _BITS[field.name]
            if not 0 <= value < 1 << bits:
                raise ValueError(f"canary {field.name} {value} is outside 0..{(1 << bits) - 1}")


def pack(canary: Canary, key: bytes = DEFAULT_KEY) -> int:
    """Return the canary as an unsigned 64-bit number; `key` holds at most 32 bytes."""
    body = to_body(canary)
    return body << TAG_BITS | _tag(body, key)


def unpack(value: int, key: bytes = DEFAULT_KEY) -> Canary | None:
    """Return the canary that `pack` made `value` of, or None when the tag does not fit.

    A random number passes with a probability of 2**-20; one outside 64 bits never does.
    """
    if not 0 <= value < 1 << PAYLOAD_BITS:
        return None
    body, tag = value >> TAG_BITS, value & (1 << TAG_BITS) - 1
    return from_body(body) if tag == _tag(body, key) else None


def to_body(canary: Canary) -> int:
    """Return the canary's four numbers as one of 44 bits, without a tag: what every form of it holds."""
    body = canary.run
    for value, bits in ((canary.user, USER_BITS), (canary.call, CALL_BITS), (canary.mode, MODE_BITS)):
        body = body << bits | value
    return body


def from_body(body: int) -> Canary:
    """Return the canary that `to_body` made a number of; whether that is ours, a tag alone can say."""
    numbers = []
    for bits in (MODE_BITS, CALL_BITS, USER_BITS, RUN_BITS):
        numbers.append(body & (1 << bits) - 1)
        body >>= bits
    mode, call, user, run = numbers
    return Canary(run, user, call, mode)


def new_run() -> int:
    """Return a run number from the system's entropy.

    It is never seeded: a rerun with the same seed must not take an old run's media for its own. Two given
    runs share a number with a probability of 2**-20.
    """
    return secrets.randbelow(1 << RUN_BITS)


def _tag(body: int, key: bytes) -> int:
    digest = hashlib.blake2s(body.to_bytes(6, "big"), key=key, digest_size=3).digest()
    return int.from_bytes(digest, "big") >> 4
