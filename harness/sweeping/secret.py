"""Which names stand beside what lets its holder in, or may: such a value is no reference, and is not written down."""

from __future__ import annotations

import re

from harness.redact import is_secret_name

_SECRET = re.compile(
    r"token|secret|passw|passphrase|signature|session|jwt|credential|authoriz|authoris|cookie|api[-_]?key|private[-_]?key"
    r"|(?:^|[-_.]|(?<=[a-z])(?=[A-Z]))(?:pin|auth|otp|sig|pwd|bearer|key)(?:$|[-_.]|(?=[A-Z]))",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Return True when what stands beside this name may let its holder in."""
    return is_secret_name(name) or _SECRET.search(name) is not None
