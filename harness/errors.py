"""The harness's exceptions, in voices that are never mixed: the author's fault and the world's fault.

A finding is not an exception: it is data (`harness.model.Finding`) until the pytest plugin reports it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MIN_BEGINNING = 3
"""Letters of a name that are taken for its beginning: fewer begin anything."""


class HarnessError(Exception):
    """The root of everything that the harness raises on purpose."""


class UsageError(HarnessError):
    """The author's fault, raised before anything runs; one line that names the file, the place and the mend."""


class TargetError(HarnessError):
    """The target refused a call or did not answer it.

    `definite` is True when the target certainly did not do what was asked (it answered with a refusal),
    and False when the call may have taken effect (a time-out, a broken connection).
    """

    def __init__(self, message: str, *, definite: bool, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.definite = definite
        self.status = status
        self.code = code


class FlagError(HarnessError):
    """The flags could not be set, or could not be proved to be in force: the verdict is unknown."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest of the known names, or one that begins so, or an empty string."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5) or [
        each for each in names if len(name) >= MIN_BEGINNING and each.startswith(name)
    ]
    return f"; did you mean '{close[0]}'?" if close else ""
