"""Finds secrets in a text by their shape (a JWT, what follows `Bearer`, a password in an address) and by names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from harness.redact.names import START, SURE_NAMES, UNSURE_NAMES, is_plain, is_secret_name, looks_secret

REDACTED = "REDACTED"
MIN_LETTERS = 4
"""Of a value after a name in a text: `new-auth=on` and `auth=v2` are a flag's, and no secret is that short."""
MAX_UNSURE = 512
"""Of a value that is looked at, and hidden if it looks like a secret."""
MAX_LEARNT = 4_096
"""A longer value is hidden where it stands; it is no single secret."""

Learn = Callable[[str], None]

_JWT = re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){1,4}")
_ADDRESS = re.compile(r"(?<=:)(\\?/\\?/)([^/@\s\"'<>\\]{1,1024})@")
_SCHEME = re.compile(
    r"\b((?i:bearer|basic|digest|negotiate|token|apikey))(?::?\s+|%20|\+)"
    r"(?!(?i:token|auth(?:entication|orization)?)\b)([\w.~+/%=:-]{4,})"
)
_QUOTE = r"\\{0,4}[\"']|&quot;|&#x27;|&#39;|%22"
_NAMED = re.compile(
    rf"{START}(?:(?P<secret>(?i:{SURE_NAMES}))|(?i:{UNSURE_NAMES}))"
    rf"(?:(?P<closed>{_QUOTE})?\]?\s{{0,8}}(?:=>|=|:|%3[AaDd])\s{{0,8}}"
    rf"|(?:{_QUOTE})\s{{0,8}},\s{{0,8}}(?=[\"'\\&])|>)"
    rf"(?P<open>{_QUOTE})?"
)
"""`name: value` and `"name": "value"`, `name=value`, `("name", "value")`, `<name>value`."""
_OF_WORDS = re.compile(r"(?i:authori[sz]ation|cookies?|pass|password|passwd|passphrase|pwd)")
"""After these and a colon there may be several words, and words that are plain."""
_FIELD = re.compile(r"<(?:input|meta|param|data|button)\b[^<>]{0,2000}>", re.IGNORECASE)
_FIELD_NAME = re.compile(r"\b(?:name|id|property|itemprop)\s{0,4}=\s{0,4}[\"']?([\w.:-]+)", re.IGNORECASE)
_FIELD_VALUE = re.compile(r"(\b(?:value|content)\s{0,4}=\s{0,4})(\"[^\"]*\"|'[^']*'|[^\s>\"']+)", re.IGNORECASE)
_WORD_END = re.compile(r"[\s&#;,\"'<>\\)}\]]|$")
_LINE_END = re.compile(r"[\n\r\"'<>\\]|$")
_BRACKET = re.compile(r"[\[\]{}\n]")
_ORDINARY = frozenset({"true", "false", "none", "null", "undefined", REDACTED.lower()})


def mask_shapes(text: str, learn: Learn) -> str:
    """Return a text without what looks like a secret; `learn` is told each value that was found."""
    text = _JWT.sub(lambda found: _masked(found[0], learn), text)
    text = _ADDRESS.sub(lambda found: f"{found[1]}{_masked(found[2].partition(':')[2], learn)}@", text)
    text = _FIELD.sub(lambda found: _field(found[0], learn), text)
    text = "".join(_named(text, learn))
    return _SCHEME.sub(lambda found: _scheme(found, learn), text)


def _masked(value: str, learn: Learn) -> str:
    if not is_plain(value):
        learn(value)
    return REDACTED


def _scheme(found: re.Match[str], learn: Learn) -> str:
    """Mask what follows the name of a scheme; `token` and the others are words of English too, `Bearer` is hardly."""
    scheme, value = found.groups()
    is_word = is_plain(value.rstrip(".:,")) or value == REDACTED
    is_sure = scheme.lower() == "bearer" or (scheme[0].isupper() and not is_word) or looks_secret(value)
    return found[0][: found.start(2) - found.start()] + _masked(value, learn) if is_sure else found[0]


def _field(tag: str, learn: Learn) -> str:
    """Mask the value of a form's field, or of a page's metadata, that has a secret's name."""
    is_secret = any(is_secret_name(name) for name in _FIELD_NAME.findall(tag))
    if not is_secret:
        return tag
    return _FIELD_VALUE.sub(lambda found: '{}"{}"'.format(found[1], _masked(found[2].strip("\"'"), learn)), tag)


def _named(text: str, learn: Learn) -> Iterator[str]:
    """Yield a text in pieces, REDACTED in place of each value that stands after a secret's name."""
    done = 0
    for found in _NAMED.finditer(text):
        if found.start() < done:
            continue
        start, stop = found.end(), _end(text, found)
        value = text[start:stop]
        is_sure = _is_sure(found, value)
        if not is_sure and not looks_secret(value):
            continue
        _tell(value, learn, is_sure=is_sure)
        yield text[done:start]
        yield REDACTED
        done = stop
    yield text[done:]


def _is_sure(found: re.Match[str], value: str) -> bool:
    """True when the name leaves no doubt: what stands after it is hidden, whatever it looks like."""
    if not found["secret"] or len(value) < MIN_LETTERS or value.strip().lower() in _ORDINARY:
        return False
    is_prose = not found["open"] and found[0].endswith(" ") and is_plain(value)
    return not is_prose or bool(_OF_WORDS.fullmatch(found["secret"]))


def _tell(value: str, learn: Learn, *, is_sure: bool) -> None:
    """Learn a value, and if it is several words those among them that look like a secret: `Bearer X`, `a=X; b=Y`."""
    if len(value) > MAX_LEARNT:
        return
    if looks_secret(value) or (is_sure and not is_plain(value)):
        learn(value)
    for word in re.split(r"[\s;,=]+", value):
        if word != value and looks_secret(word):
            learn(word)


def _end(text: str, found: re.Match[str]) -> int:
    """Return where the value that begins after a name ends."""
    start, quote = found.end(), found["open"]
    limit = len(text) if found["secret"] else min(len(text), start + MAX_UNSURE)
    if quote:
        close = re.compile((r"(?<!\\)" if len(quote) == 1 else "") + re.escape(quote) + r"|\n|$").search(
            text, start, limit
        )
        return close.start() if close else limit
    if found["secret"] and text[start : start + 1] in ("[", "{"):
        return _bracketed(text, start)
    is_header = found[0].rstrip().endswith(":") and not found["closed"]
    ends = _LINE_END if is_header and _OF_WORDS.fullmatch(found["secret"] or "") else _WORD_END
    ending = ends.search(text, start, limit)
    return ending.start() if ending else limit


def _bracketed(text: str, start: int) -> int:
    """Return where the bracket that opens here is closed, or the end of its line."""
    depth = 0
    for each in _BRACKET.finditer(text, start):
        if each[0] == "\n":
            return each.start()
        depth += 1 if each[0] in "[{" else -1
        if depth == 0:
            return each.end()
    return len(text)
