"""The token: a canary in words, 18 letters and digits that survive whatever a target does to a name or a note.

A mark of two letters, then 80 bits in 16 characters of Crockford's base 32 (no i, l, o, u; either case): a tag of 36
bits, which is a keyed BLAKE2s hash (RFC 7693) of the canary's 44 bits, and these, hidden under a number that depends
on the tag (multiplicative hashing; Knuth, The Art of Computer Programming, volume 3, section 6.4). So every part looks
like chance: two tokens of one run begin and end differently, and a part of one tells it from all others.

Chance. In random text a token is accepted at one place in 2**46 (10 bits of mark, 36 of tag) or fewer; where the mark
stands and 16 characters of the alphabet follow, in 2**36. Of the tokens that `Fragments` knows, 2**20 at most, one is
taken for a part of random text at one place in 2**30: at least 50 bits (the mark and 8 characters, or 10 characters)
agree.

Time. All is linear in the text; what costs most is a place where the mark stands, and these are rare. In 1 MB of base64
whole tokens are found in about 10 ms and parts in about 0.1 s; 1 MB that is half marks takes 1.5 s.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from harness.canary.payload import BODY_BITS, DEFAULT_KEY, Canary, from_body, to_body

MARK = "zq"
"""Hexadecimal ids do not hold it, and no word of a common language begins with it."""
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
BITS_PER_CHARACTER = 5
TEXT_TAG_BITS = 36
CODE_CHARACTERS = (BODY_BITS + TEXT_TAG_BITS) // BITS_PER_CHARACTER
TOKEN_CHARACTERS = len(MARK) + CODE_CHARACTERS

MIN_BEGINNING = len(MARK) + 8
MIN_END = 10
"""Characters of a token that was cut, from its beginning or to its end, by which it is still known: 50 bits each."""
MAX_KNOWN = 1 << 20
"""Tokens that are known by their parts, about 400 bytes each."""

_CLASS = f"[{ALPHABET}{ALPHABET[10:].upper()}]"
_TOKEN = re.compile(f"[zZ][qQ](?=({_CLASS}{{{CODE_CHARACTERS}}}))")
_PART = re.compile(f"{_CLASS}{{{MIN_END},}}")
_AS_BASE_32 = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
"""To the digits that `int` knows (RFC 4648, section 7)."""


@dataclass(frozen=True, slots=True)
class Inscription:
    """A canary that stands in a text, and the index of the character at which its token begins."""

    canary: Canary
    at: int


def inscribe(canary: Canary, key: bytes = DEFAULT_KEY) -> str:
    """Return the canary as a token of 18 lower-case letters and digits; `key` holds at most 32 bytes."""
    body = to_body(canary)
    tag = _tag(body, key)
    code = tag << BODY_BITS | body ^ _mask(tag, key)
    shifts = range((CODE_CHARACTERS - 1) * BITS_PER_CHARACTER, -1, -BITS_PER_CHARACTER)
    return MARK + "".join(ALPHABET[code >> shift & len(ALPHABET) - 1] for shift in shifts)


def find(text: str, key: bytes = DEFAULT_KEY) -> tuple[Inscription, ...]:
    """Return every whole token in a text, in order: in any case, glued to anything on either side."""
    found = []
    for match in _TOKEN.finditer(text):
        canary = _read(match[1].lower(), key)
        if canary is not None:
            found.append(Inscription(canary, match.start()))
    return tuple(found)


class Fragments:
    """Knows tokens that were given out, and each again by what is left of it where a field cut it off.

    A beginning is the mark and at least 8 characters, then no character of a token; an end is at least 10 characters,
    before them no character of a token. A part that fits several tokens tells none of them. Beyond `limit` tokens the
    one that was learnt first is forgotten.
    """

    def __init__(self, limit: int = MAX_KNOWN, key: bytes = DEFAULT_KEY) -> None:
        self._limit = limit
        self._key = key
        self._tokens: deque[str] = deque()
        self._by_beginning: dict[str, tuple[str, ...]] = {}
        self._by_end: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def learn(self, token: str) -> None:
        """Know a token, as `inscribe` returned it, from now on."""
        if token in self._by_beginning.get(token[:MIN_BEGINNING], ()):
            return
        self._tokens.append(token)
        for index, part in self._indices(token):
            index[part] = (*index.get(part, ()), token)
        if len(self._tokens) > self._limit:
            self._forget(self._tokens.popleft())

    def find(self, text: str) -> tuple[Canary, ...]:
        """Return the canaries of tokens that were cut, in the order of the text; of whole ones nothing."""
        found = []
        for match in _PART.finditer(text):
            # What lies in the middle of a run was not cut: a whole token and less than another one are enough.
            run = match[0]
            end = self._end(run[:TOKEN_CHARACTERS].lower())
            beginning = self._beginning(run[-TOKEN_CHARACTERS:].lower())
            found += [canary for canary in (end, beginning) if canary is not None]
        return tuple(found)

    def _beginning(self, run: str) -> Canary | None:
        """Return the token of which a run's last characters are the beginning; it may hold the mark once more."""
        return self._only(
            token
            for at in range(max(0, len(run) - TOKEN_CHARACTERS + 1), len(run) - MIN_BEGINNING + 1)
            if run.startswith(MARK, at)
            for token in self._by_beginning.get(run[at : at + MIN_BEGINNING], ())
            if token.startswith(run[at:])
        )

    def _end(self, run: str) -> Canary | None:
        """Return the token of which a run's first characters are the end; other characters may follow."""
        return self._only(
            token
            for length in range(MIN_END, min(len(run), TOKEN_CHARACTERS - 1) + 1)
            for token in self._by_end.get(run[length - MIN_END : length], ())
            if token.endswith(run[:length])
        )

    def _only(self, tokens: Iterator[str]) -> Canary | None:
        fitting = set(tokens)
        return _read(fitting.pop()[len(MARK) :], self._key) if len(fitting) == 1 else None

    def _forget(self, token: str) -> None:
        for index, part in self._indices(token):
            rest = tuple(each for each in index[part] if each != token)
            if rest:
                index[part] = rest
            else:
                del index[part]

    def _indices(self, token: str) -> tuple[tuple[dict[str, tuple[str, ...]], str], ...]:
        return (self._by_beginning, token[:MIN_BEGINNING]), (self._by_end, token[-MIN_END:])


def _read(code: str, key: bytes) -> Canary | None:
    """Return the canary of a token's 16 lower-case characters, or None when the tag does not fit."""
    number = int(code.translate(_AS_BASE_32), 1 << BITS_PER_CHARACTER)
    tag = number >> BODY_BITS
    body = number & (1 << BODY_BITS) - 1 ^ _mask(tag, key)
    return from_body(body) if tag == _tag(body, key) else None


def _tag(body: int, key: bytes) -> int:
    digest = hashlib.blake2s(body.to_bytes(6, "big"), key=key, person=b"text-tag", digest_size=5).digest()
    return int.from_bytes(digest, "big") >> 40 - TEXT_TAG_BITS


def _mask(tag: int, key: bytes) -> int:
    """Return the upper bits of a product with the tag: it proves nothing, for that there is the tag itself."""
    return tag * _multiplier(key) >> TEXT_TAG_BITS & (1 << BODY_BITS) - 1


@lru_cache(maxsize=8)
def _multiplier(key: bytes) -> int:
    """Return an odd number of 80 bits that depends on the key."""
    return int.from_bytes(hashlib.blake2s(key=key, person=b"text-msk", digest_size=10).digest(), "big") | 1
