"""Beside which names a value must not be kept: always, or only when it looks like a secret."""

from __future__ import annotations

import re
from itertools import pairwise

SURE_NAMES = (
    r"authori[sz]ation|auth|bearer|cookies?|jwt|pass|passwd|password|pwd|passphrase|passcode|pin|otp|totp|secret|secrets"
    r"|(?:access|auth|id|refresh|csrf|xsrf|session)?[-_]?tokens?|csrf|xsrf|csrfmiddlewaretoken|signature|sig|sas"
    r"|credentials?|api[-_]?key|(?:access|session|secret|private|signing|encryption|auth|account|shared)[-_]?key"
    r"|(?:aws)?access[-_]?key[-_]?id|j?session[-_]?id|phpsessid|sess[-_]?id|sid|(?:local|session)[-_]?storage"
)
UNSURE_NAMES = r"key|code|session|ticket|refresh|nonce|state|verifier|assertion"
"""They also name what is no secret: a status code, a key on the keyboard, a row's key."""

START = r"(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z])|(?<=%[0-9A-Fa-f]{2}))"
"""Where a word may begin in kebab-case, snake_case and camelCase, and in an address within an address."""
_SECRET = re.compile(rf"(?:.*[^A-Za-z0-9]|.*[a-z0-9](?=[A-Z])|)(?i:{SURE_NAMES})", re.DOTALL)
_UNSURE = re.compile(rf"(?:.*[^A-Za-z0-9]|.*[a-z0-9](?=[A-Z])|)(?i:{UNSURE_NAMES})", re.DOTALL)
_HARMLESS_HEADER = re.compile(
    r"(?i::[a-z]+|accept(?:-[a-z-]+)?|access-control-[a-z-]+|age|allow|alt-svc|cache-control|connection|content-[a-z-]+"
    r"|cross-origin-[a-z-]+|date|dnt|etag|expires|host|if-(?:match|none-match|modified-since|unmodified-since|range)"
    r"|keep-alive|last-modified|link|location|origin|permissions-policy|pragma|priority|range|referer|referrer-policy"
    r"|retry-after|sec-(?:ch|fetch)-[a-z-]+|sec-gpc|sec-websocket-(?:accept|extensions|version)|server|server-timing"
    r"|strict-transport-security|te|timing-allow-origin|trailer|transfer-encoding|upgrade|upgrade-insecure-requests"
    r"|user-agent|vary|via|x-content-type-options|x-frame-options|x-powered-by)"
)

_MIN_LETTERS = 8
_ONE_TIME_CODE = re.compile(r"\d{6,8}")
_RUN = re.compile(r"[A-Za-z0-9]{8,}")
_WORD = r"[A-Za-z][a-z]*(?:[A-Z][a-z]{2,})*"
_PLAIN_WORDS = re.compile(rf"(?:{_WORD}(?:[-_. ]+{_WORD})*)?")


def is_secret_name(name: str) -> bool:
    """Return True when what stands beside this name (a header, a field) must not be kept, whatever it looks like."""
    return bool(_SECRET.fullmatch(name))


def is_unsure_name(name: str) -> bool:
    """Return True when what stands beside this name must not be kept if it looks like a secret."""
    return bool(_UNSURE.fullmatch(name))


def is_harmless_header(name: str) -> bool:
    """Return True for the headers that are known to say nothing that lets anybody in; of all others that is unknown."""
    return bool(_HARMLESS_HEADER.fullmatch(name.strip()))


def is_plain(value: str) -> bool:
    """Return True for ordinary words, joined in whatever way: they stand in any text, and so prove nothing."""
    return bool(_PLAIN_WORDS.fullmatch(value))


def looks_secret(value: str) -> bool:
    """Return True for what nobody would choose as a word: letters and digits mixed, or cases, or a one-time code."""
    if _ONE_TIME_CODE.fullmatch(value):
        return True
    if len(value) < _MIN_LETTERS or any(letter.isspace() for letter in value):
        return False
    return any(_is_mixed(run) for run in _RUN.findall(value))


def _is_mixed(run: str) -> bool:
    if run.isdecimal():
        return False
    has_digits = any(letter.isdecimal() for letter in run)
    turns = sum(1 for before, after in pairwise(run) if before.islower() != after.islower())
    return has_digits or turns * 4 > len(run)
