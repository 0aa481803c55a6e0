"""Which names stand beside what lets its holder in, or may: such a value is no reference, and is not written down."""

from __future__ import annotations

import re

from harness.redact import is_secret_name

WITHIN = re.compile(
    r"token|secret|passw|passphrase|signature|session|jwt|credential|authori[sz]|cookie|api[-_]?key|private[-_]?key"
)
WORDS = frozenset({"auth", "bearer", "otp", "pin", "pwd", "sig"})
"""What is a secret's name as a word by itself, and part of many another word: an author has no secret."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret(name: str) -> bool:
    """Return True when what stands beside this name may let its holder in."""
    if is_secret_name(name) or WITHIN.search(name.lower()):
        return True
    return not WORDS.isdisjoint(re.split(r"[^a-z0-9]+", _HUMP.sub("_", name).lower()))
