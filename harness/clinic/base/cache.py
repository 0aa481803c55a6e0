"""Answers that were given to one user, kept until something of that user's changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

MAX_ANSWERS = 20_000

Answer = TypeVar("Answer")


class AnswerCache:
    """Answers by all that they depend on; the one unused for longest goes first.

    Nothing is ever dropped because it has become old: what an answer depends on holds a version, and whoever
    changes something writes a new version into the database. So it is right in each of several processes.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, depends_on: Hashable, make: Callable[[], Answer]) -> Answer:
        """Return the kept answer, or make it and keep it."""
        if depends_on in self._answers:
            self._answers.move_to_end(depends_on)
        else:
            self._answers[depends_on] = make()
            if len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
        kept: Answer = self._answers[depends_on]
        return kept
