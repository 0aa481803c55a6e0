"""Known identifiers in a text: found wherever they stand, whole, and never within somebody else's.

Most are told from all other words and numbers. One that is not (a plain number, a short word) counts only where a key
or a path says of what kind it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from harness.sweeping.describing.document import singular
from harness.sweeping.judging.leaves import KEY

MIN_TOKEN = 6
"""A shorter value, or one without a digit, may be a word that everybody uses."""
MIN_NUMBER = 15
"""A number with fewer digits may count anything: bytes, seconds, money."""
MIN_RUN = 8
"""So many letters and digits in a row, and nobody else's identifier is this one with a number behind it."""
ROUNDS = 3
"""How often a text is looked through for what is encoded: what is encoded twice is somebody's as well."""
LISTS = frozenset({"items", "data", "results", "entries", "list", "$", ""})
"""Keys that say nothing of what stands below them."""
OWN_NAMES = ("id", "uuid", "ref")
"""Keys of a thing's own reference."""
_NUMBERS = re.compile(r"(\[\d+\])+$")
_SUFFIX = re.compile(r"(_ids?|Ids?|ID|_ref|_uuid)$")
_START = re.compile(r"(?<![a-z0-9])[a-z0-9]")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")
_RUN = re.compile(r"[a-z0-9]+")
_IN_PATH = re.compile(r"/([A-Za-z][A-Za-z0-9_.-]*)(?=/([^/?#\s\"'<>]+))")


def is_weak(value: str) -> bool:
    """True for what cannot be told from the words and numbers that everybody uses."""
    if value.isdecimal():
        return len(value) < MIN_NUMBER
    return len(value) < MIN_TOKEN or not any(character.isdigit() for character in value)


class Index:
    """Values, to be found in texts; each in whatever case it is written."""

    def __init__(self) -> None:
        self._lengths: dict[str, tuple[int, ...]] = {}
        """Lengths of what follows from each beginning on, the longest first."""
        self._values: dict[str, str] = {}
        """From its first letter or digit on -> the whole value, in lower case."""
        self._weak: set[str] = set()

    def add(self, value: str) -> None:
        """Know a value from now on."""
        value = value.lower()
        if is_weak(value):
            self._weak.add(value)
            return
        stem = _stem(value)
        if len(stem) < MIN_TOKEN - 1:
            return
        self._values[stem] = value
        begin = stem[: MIN_TOKEN - 1]
        self._lengths[begin] = tuple(sorted({*self._lengths.get(begin, ()), len(stem)}, reverse=True))

    def discard(self, value: str) -> None:
        """Know a value no longer."""
        value = value.lower()
        self._weak.discard(value)
        self._values.pop(_stem(value), None)

    def find(self, text: str) -> Iterator[str]:
        """Yield each value that stands in a text, encoded or not, in lower case; a longer one before one within it."""
        for form in forms(text):
            yield from self._plain(form.lower())

    def _plain(self, text: str) -> Iterator[str]:
        done = 0
        for found in _START.finditer(text):
            begin = found.start()
            if begin < done:
                continue
            for length in self._lengths.get(text[begin : begin + MIN_TOKEN - 1], ()):
                value = self._values.get(text[begin : begin + length])
                if value and _is_whole(text, begin + length, value):
                    yield value
                    done = begin + length
                    break

    def weak(self, text: str, where: str, collection: str) -> Iterator[tuple[str, str]]:
        """Yield each value that can be told from others only by its place, with the kind of thing that this says.

        `where` ends in a JSON place such as `$.items[0].id`; an `id` at its top is of the `collection` that was asked.
        """
        if not self._weak:
            return
        plain = text.strip().lower()
        # A word that is a key may be a property of the thing that it stands below.
        if plain in self._weak and (plain.isdecimal() or not where.endswith(f" {KEY}")):
            for kind in _kinds(where, collection):
                yield plain, kind
        for found in _IN_PATH.finditer(unquote(text)):
            if found[2].lower() in self._weak:
                yield found[2].lower(), kind_of(found[1])


def forms(text: str) -> Iterator[str]:
    """Yield a text as it is, and with its percent-encoding, entities and escapes undone, as often as that goes."""
    yield text
    for _ in range(ROUNDS):
        again = text
        if "\\" in again:
            again = _ESCAPED.sub(lambda found: found[2] or chr(int(found[1], 16)), again)
        if "&" in again:
            again = html.unescape(again)
        if "%" in again:
            again = unquote(again)
        if again == text:
            return
        text = again
        yield text


def _stem(value: str) -> str:
    """Return a value from its first letter or digit on."""
    found = _RUN.search(value)
    return value[found.start() :] if found else ""


def _is_whole(text: str, end: int, value: str) -> bool:
    """True when a value ends there, and the text does not go on with what may make another identifier of it."""
    begin = end - len(value)
    if begin < 0 or not text.startswith(value, begin):
        return False
    before, after = text[begin - 1 : begin], text[end : end + 1]
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()):
        return False
    if any(len(run) >= MIN_RUN and not run.isalpha() for run in _RUN.findall(value)):
        return True
    behind = _RUN.match(text, end + 1) if after in ("-", "~", "+") else None
    in_front = re.search(r"[a-z0-9]+$", text[max(0, begin - 65) : begin - 1]) if before in ("-", "~", "+") else None
    return not any(run and any(each.isdigit() for each in run[0]) for run in (behind, in_front))


def kind_of(key: str) -> str:
    """Return the kind of thing that a key such as `visit_id` or `visits` names."""
    return singular(_SUFFIX.sub("", key))


def _kinds(where: str, collection: str) -> Iterator[str]:
    """Yield what a place in JSON says that its value is a reference of."""
    is_key = where.endswith(f" {KEY}")
    place = where.removesuffix(f" {KEY}") if is_key else where
    keys = [_NUMBERS.sub("", key) for key in place.rpartition(" ")[2].split(".")]
    if len(keys) < 2:
        return
    if is_key:
        if keys[-1].lower() not in LISTS:
            yield kind_of(keys[-1])
    elif keys[-1].lower() in OWN_NAMES:
        above = keys[-2].lower()
        yield collection if above in LISTS else singular(above)
    else:
        yield kind_of(keys[-1])
