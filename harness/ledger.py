"""The ledger: what the actors did and saw, append-only, in JSON Lines.

Every call is written twice: its intent before it is made, its outcome after. What stands as an intent alone
*may* have happened. The three outcomes are Jepsen's: ok, fail (certainly not done), unknown.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO, TypeVar

from harness.errors import UsageError

T = TypeVar("T")

HARNESS = "harness"
NOBODY = "nobody"
"""The actor of what is asked without being signed in."""


class Outcome(StrEnum):
    """How far a call came."""

    INTENT = "intent"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What an entry is about; `harness.provenance` says which data each carries."""

    TRIAL = "trial"
    ENROL = "enrol"
    FLAGS = "flags"
    BOOK = "book"
    JOIN = "join"
    SWITCH = "switch"
    EMIT = "emit"
    LEAVE = "leave"
    END = "end"
    HAND_OVER = "hand-over"
    WRITE = "write"
    SHARE = "share"
    REVOKE = "revoke"
    ACCESS = "access"
    CHOOSE = "choose"
    STORY = "story"
    RECORDINGS = "recordings"
    LISTEN = "listen"
    HEAR = "hear"
    LIST = "list"
    OPEN = "open"
    READ = "read"
    EVIDENCE = "evidence"


DEEDS = frozenset(
    {
        Action.BOOK,
        Action.JOIN,
        Action.SWITCH,
        Action.EMIT,
        Action.LEAVE,
        Action.END,
        Action.HAND_OVER,
        Action.WRITE,
        Action.SHARE,
        Action.REVOKE,
        Action.ACCESS,
        Action.CHOOSE,
    }
)
"""What the people of a story do, unlike what the oracle asks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its number, seconds since the trial began, who, what, how it ended, the intent it answers."""

    seq: int
    at_s: float
    actor: str
    action: Action
    outcome: Outcome
    data: Mapping[str, Any] = field(default_factory=dict)
    of: int | None = None

    def as_json(self) -> str:
        """Return the entry as one line of JSON, without the line's end."""
        row = {
            "seq": self.seq,
            "at_s": round(self.at_s, 6),
            "actor": self.actor,
            "action": self.action,
            "outcome": self.outcome,
            "data": self.data,
        }
        return json.dumps(row if self.of is None else row | {"of": self.of}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that may have been carried out: from the entry in which it began to the one that acknowledged it.

    Without an acknowledgement it may still be carried out at any later time.
    """

    begun: Entry
    done: Entry | None

    def is_over_before(self, other: Attempt) -> bool:
        """True when it was certainly carried out before the other one began."""
        return self.done is not None and self.done.seq < other.begun.seq


class Ledger:
    """The entries of one trial in order, each written to `sink` as soon as it is made."""

    def __init__(
        self,
        sink: TextIO | None = None,
        *,
        entries: Iterable[Entry] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries = list(entries)
        self._sink = sink
        self._clock = clock
        self._began = clock()
        self._derived: dict[Callable[[Ledger], Any], Any] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, seq: int) -> Entry:
        return self._entries[seq]

    def intend(self, actor: str, action: Action, **data: object) -> Entry:
        """Write down that the actor is about to make a call."""
        return self._append(actor, action, Outcome.INTENT, data, None)

    def conclude(self, intent: Entry, outcome: Outcome, **data: object) -> Entry:
        """Write down how an intended call ended; the intent's data is carried along."""
        return self._append(intent.actor, intent.action, outcome, {**intent.data, **data}, intent.seq)

    def note(self, actor: str, action: Action, outcome: Outcome = Outcome.OK, **data: object) -> Entry:
        """Write down something that was not a call."""
        return self._append(actor, action, outcome, data, None)

    def of(self, action: Action, *outcomes: Outcome) -> list[Entry]:
        """Return the entries of an action with one of the outcomes (ok when none is given), in order."""
        wanted = outcomes or (Outcome.OK,)
        return [entry for entry in self._entries if entry.action is action and entry.outcome in wanted]

    def derived(self, make: Callable[[Ledger], T]) -> T:
        """Return what `make` makes of this ledger, made once and kept until the next entry."""
        if make not in self._derived:
            self._derived[make] = make(self)
        made: T = self._derived[make]
        return made

    def attempts(self, action: Action) -> list[Attempt]:
        """Return the calls of an action that were not definitely refused, in the order in which they began."""
        answers = {entry.of: entry for entry in self._entries if entry.of is not None and entry.action is action}
        found = []
        for entry in self._entries:
            if entry.action is not action or entry.of is not None:
                continue
            # What was noted, and not called, has no intent.
            answer = answers.get(entry.seq, entry)
            if answer.outcome is not Outcome.FAIL:
                found.append(Attempt(entry, answer if answer.outcome is Outcome.OK else None))
        return found

    def close(self) -> None:
        """Bring everything written to the disk itself and close the file."""
        if self._sink:
            self._sink.flush()
            os.fsync(self._sink.fileno())
            self._sink.close()
            self._sink = None

    def _append(
        self, actor: str, action: Action, outcome: Outcome, data: Mapping[str, object], of: int | None
    ) -> Entry:
        entry = Entry(len(self._entries), self._clock() - self._began, actor, action, outcome, data, of)
        # First the file: what JSON cannot hold must not stand in one of the two alone.
        if self._sink:
            self._sink.write(entry.as_json() + "\n")
        self._entries.append(entry)
        self._derived.clear()
        return entry


def read(path: Path) -> Ledger:
    """Read a ledger back; a last line that was cut off by a crash is left out, any other fault is an error.

    Raises UsageError with file and line when a line is not an entry.
    """
    *whole, cut_off = path.read_bytes().split(b"\n")
    entries: list[Entry] = []
    for number, line in enumerate(whole, 1):
        try:
            entries.append(_entry(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}:{number}: not a ledger entry ({error})") from error
        if entries[-1].seq != number - 1:
            raise UsageError(f"{path}:{number}: entry #{entries[-1].seq} stands where #{number - 1} belongs")
    if not entries and not cut_off:
        raise UsageError(f"{path}: an empty ledger")
    return Ledger(entries=entries)


def merge(ledgers: Iterable[Ledger]) -> Ledger:
    """Return one ledger of several that tell of one trial by one clock, such as those of two listeners.

    It is ordered by time, at the same moment in the order of the actors' names; each ledger's own order is kept,
    entries are numbered anew, and what answers an intent still does.
    """
    waiting = [deque(ledger) for ledger in ledgers]
    numbers: list[dict[int, int]] = [{} for _ in waiting]
    merged: list[Entry] = []
    while any(waiting):
        at = min((at for at, each in enumerate(waiting) if each), key=lambda at: _moment(waiting[at][0]))
        entry = waiting[at].popleft()
        numbers[at][entry.seq] = len(merged)
        of = None if entry.of is None else numbers[at][entry.of]
        merged.append(replace(entry, seq=len(merged), of=of))
    return Ledger(entries=merged)


def _moment(entry: Entry) -> tuple[float, str]:
    return entry.at_s, entry.actor


def _entry(row: Any) -> Entry:
    seq, at_s, actor = int(row["seq"]), float(row["at_s"]), str(row["actor"])
    action, outcome, data = Action(row["action"]), Outcome(row["outcome"]), dict(row["data"])
    return Entry(seq, at_s, actor, action, outcome, data, None if row.get("of") is None else int(row["of"]))
