"""What an HTTP answer that is no success means, whichever driver got it: a refusal, or nothing certain."""

from __future__ import annotations

import json

from harness.errors import TargetError

NOT_A_REFUSAL = frozenset({401, 408, 425, 429})
"""Not signed in, too slow, too early, too often: the target has not said what this user may do."""


def is_refusal(status: int) -> bool:
    """True for a status by which the target says that it did not do it: 4xx, but for NOT_A_REFUSAL."""
    return 400 <= status < 500 and status not in NOT_A_REFUSAL


def refused(what: str, status: int, body: bytes) -> TargetError:
    """Return the error for an answer to `what`; definite when it is a refusal.

    Of `{"error": {"code", "message"}}` it has the code, of any other body the beginning.
    """
    try:
        error = json.loads(body)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "", body[:80].decode(errors="replace")
    line = f"{what}: {status} {code or message}".rstrip()
    return TargetError(line, definite=is_refusal(status), status=status, code=code)
