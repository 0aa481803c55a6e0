"""What was answered to each user, kept until something of that user's changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

MAX_USERS = 10_000
MAX_ANSWERS_EACH = 64

Answer = TypeVar("Answer")


class AnswerCache:
    """Answers by user and by everything else that they depend on; the user unused for longest goes first."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, dict[Hashable, Any]] = OrderedDict()

    def get(self, username: str, depends_on: Hashable, make: Callable[[], Answer]) -> Answer:
        """Return the kept answer, or make it and keep it."""
        answers = self._users.setdefault(username, {})
        self._users.move_to_end(username)
        if depends_on not in answers:
            if len(answers) >= MAX_ANSWERS_EACH:
                answers.clear()
            answers[depends_on] = make()
        if len(self._users) > MAX_USERS:
            self._users.popitem(last=False)
        kept: Answer = answers[depends_on]
        return kept

    def forget(self, *usernames: str) -> None:
        """Drop all answers to these users."""
        for username in usernames:
            self._users.pop(username, None)
