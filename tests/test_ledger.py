"""The ledger: written as it happens, read back as it was, and never taken for whole when it is not."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ledger as ledgers
from harness.errors import UsageError
from harness.ledger import Action, Attempt, Entry, Ledger, Outcome

names = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Draw the entries of a ledger, numbered as a ledger numbers them."""
    drawn = []
    for seq in range(draw(st.integers(1, 6))):
        at_s = draw(st.integers(0, 10**9)) / 1e6
        of = draw(st.none() | st.integers(0, seq))
        data = draw(st.dictionaries(names, values, max_size=3))
        drawn.append(
            Entry(seq, at_s, draw(names), draw(st.sampled_from(Action)), draw(st.sampled_from(Outcome)), data, of)
        )
    return drawn


def read_bytes(content: bytes) -> Ledger:
    """Read a ledger of these bytes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "trial.jsonl"
        path.write_bytes(content)
        return ledgers.read(path)


@given(entries())
def test_what_is_written_is_read_back(drawn: list[Entry]) -> None:
    """Every entry survives its line of JSON, whatever text is in it."""
    content = "".join(entry.as_json() + "\n" for entry in drawn)
    assert list(read_bytes(content.encode())) == drawn


@given(entries(), st.data())
def test_a_last_line_that_was_cut_off_is_left_out(drawn: list[Entry], data: st.DataObject) -> None:
    """A crash in the middle of a line costs that entry and no other."""
    *before, last = [(entry.as_json() + "\n").encode() for entry in drawn]
    length = data.draw(st.integers(1, len(last) - 1))
    assert list(read_bytes(b"".join(before) + last[:length])) == drawn[:-1]


def test_calls_are_written_as_they_happen(tmp_path: Path) -> None:
    """Intent, outcome and note stand on disk with number, time, actor and the intent that they answer."""
    path = tmp_path / "trial.jsonl"
    clock = itertools.count(5.0)
    with path.open("w") as sink:
        ledger = Ledger(sink, clock=lambda: next(clock))
        intent = ledger.intend("alice", Action.JOIN, visit="visit-1")
        concluded = ledger.conclude(intent, Outcome.FAIL, error="409")
        noted = ledger.note("harness", Action.STORY)
        ledger.close()
        assert sink.closed
        ledger.close()
    assert intent == Entry(0, 1.0, "alice", Action.JOIN, Outcome.INTENT, {"visit": "visit-1"})
    assert concluded == Entry(1, 2.0, "alice", Action.JOIN, Outcome.FAIL, {"visit": "visit-1", "error": "409"}, 0)
    assert noted == Entry(2, 3.0, "harness", Action.STORY, Outcome.OK)
    assert list(ledgers.read(path)) == list(ledger) == [intent, concluded, noted]
    assert (len(ledger), ledger[1]) == (3, concluded)


def test_entries_are_found_by_action_and_outcome() -> None:
    """Without an outcome only what succeeded is meant; several outcomes keep the ledger's order."""
    ledger = Ledger()
    intent = ledger.intend("alice", Action.JOIN)
    failed = ledger.conclude(intent, Outcome.FAIL)
    joined = ledger.note("bob", Action.JOIN)
    ledger.note("bob", Action.LEAVE)
    assert ledger.of(Action.JOIN) == [joined]
    assert ledger.of(Action.JOIN, Outcome.OK, Outcome.INTENT) == [intent, joined]
    assert ledger.of(Action.JOIN, *Outcome) == [intent, failed, joined]


GOOD = Entry(0, 0.0, "alice", Action.JOIN, Outcome.OK).as_json().encode()
SECOND = Entry(1, 0.0, "alice", Action.JOIN, Outcome.OK).as_json().encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"7",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        SECOND.replace(b'"join"', b'"jump"'),
        SECOND.replace(b'"ok"', b'"maybe"'),
        SECOND.replace(b'"seq":1', b'"seq":"x"'),
        SECOND.replace(b'"data":{}', b'"data":7'),
        SECOND.replace(b'"data":{}', b'"data":{},"of":"x"'),
    ],
)
def test_a_corrupt_line_is_named(line: bytes, tmp_path: Path) -> None:
    """A line that is no entry is an error with file and line, wherever it stands."""
    path = tmp_path / "trial.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\n" + SECOND + b"\n")
    with pytest.raises(UsageError) as caught:
        ledgers.read(path)
    assert str(caught.value).startswith(f"{path}:2: not a ledger entry (")


@pytest.mark.parametrize("lines", [[GOOD, GOOD], [SECOND], [SECOND, GOOD]])
def test_a_missing_or_doubled_line_is_named(lines: list[bytes], tmp_path: Path) -> None:
    """Entries stand in the order of their numbers, none left out."""
    path = tmp_path / "trial.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises(UsageError, match=r"trial\.jsonl:\d: entry #\d stands where #\d belongs"):
        ledgers.read(path)


def test_an_empty_file_is_no_ledger() -> None:
    """A file that holds nothing is an error; one whose first line was cut off is a ledger of nothing."""
    with pytest.raises(UsageError, match="an empty ledger"):
        read_bytes(b"")
    assert len(read_bytes(GOOD[:9])) == 0


def test_what_json_cannot_hold_is_in_neither(tmp_path: Path) -> None:
    """An adapter's odd value is an error where it came from, and the ledger stays one that can be read."""
    file = tmp_path / "ledger.jsonl"
    ledger = Ledger(file.open("w", encoding="utf-8"))
    with pytest.raises(TypeError):
        ledger.note("alice", Action.LIST, items=[object()])
    ledger.note("alice", Action.LIST, items=[])
    ledger.close()
    assert [entry.seq for entry in ledgers.read(file)] == [entry.seq for entry in ledger] == [0]


@st.composite
def told(draw: st.DrawFn, actor: str) -> Ledger:
    """Draw a ledger of one actor: calls one after the other in time, some without an answer."""
    clock = itertools.accumulate(draw(st.lists(st.integers(0, 3), min_size=16, max_size=16)))
    ledger = Ledger(clock=lambda: float(next(clock, 99)))
    for _ in range(draw(st.integers(0, 5))):
        intent = ledger.intend(actor, Action.JOIN, visit=f"visit-{draw(st.integers(1, 3))}")
        if draw(st.booleans()):
            ledger.conclude(intent, draw(st.sampled_from([Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN])))
    return ledger


def rows(ledger: Ledger, actor: str = "") -> list[tuple[object, ...]]:
    """Return what a ledger says, without its numbers, of everybody or of one actor."""
    return [(e.at_s, e.actor, e.action, e.outcome, dict(e.data)) for e in ledger if actor in ("", e.actor)]


@given(told("alice"), told("bob"), told("chen"))
def test_several_ledgers_become_one(alice: Ledger, bob: Ledger, chen: Ledger) -> None:
    """Nothing is lost, each one's own order is kept, time never runs back, and every answer finds its intent."""
    merged = ledgers.merge([alice, bob, chen])
    assert [entry.seq for entry in merged] == list(range(len(alice) + len(bob) + len(chen)))
    for name, ledger in (("alice", alice), ("bob", bob), ("chen", chen)):
        assert rows(merged, name) == rows(ledger)
    assert [entry.at_s for entry in merged] == sorted(entry.at_s for entry in merged)
    for entry in (entry for entry in merged if entry.of is not None):
        intent = merged[entry.of or 0]
        assert intent.seq < entry.seq
        assert (intent.actor, intent.outcome, intent.data["visit"]) == (
            entry.actor,
            Outcome.INTENT,
            entry.data["visit"],
        )


@given(told("alice"), told("bob"), told("chen"))
def test_how_ledgers_are_merged_does_not_matter(alice: Ledger, bob: Ledger, chen: Ledger) -> None:
    """In any order and grouping the same comes out; an empty ledger adds nothing."""
    at_once = [entry.as_json() for entry in ledgers.merge([alice, bob, chen])]
    grouped = ledgers.merge([alice, ledgers.merge([chen, bob])])
    assert [entry.as_json() for entry in grouped] == at_once
    assert [entry.as_json() for entry in ledgers.merge([chen, Ledger(), bob, alice])] == at_once
    assert [entry.as_json() for entry in ledgers.merge([alice])] == [entry.as_json() for entry in alice]


def test_what_was_derived_is_kept_until_the_next_entry() -> None:
    """It is made once, and anew as soon as the ledger says more."""
    ledger, made = Ledger(), []

    def count(of: Ledger) -> int:
        made.append(len(of))
        return len(of)

    assert (ledger.derived(count), ledger.derived(count)) == (0, 0)
    ledger.note("alice", Action.STORY)
    assert (ledger.derived(count), made) == (1, [0, 1])


def test_attempts_are_calls_that_may_have_been_carried_out() -> None:
    """A refused one is none; without an acknowledgement an attempt is never over; what is noted is over at once."""
    ledger = Ledger()
    answered = ledger.intend("alice", Action.SHARE)
    silent = ledger.intend("bob", Action.SHARE)
    refused = ledger.intend("alice", Action.SHARE)
    ledger.intend("alice", Action.REVOKE)
    ledger.conclude(refused, Outcome.FAIL)
    acknowledged = ledger.conclude(answered, Outcome.OK)
    ledger.conclude(silent, Outcome.UNKNOWN)
    noted = ledger.note("chen", Action.SHARE)
    first, second, third = ledger.attempts(Action.SHARE)
    assert (first, second, third) == (Attempt(answered, acknowledged), Attempt(silent, None), Attempt(noted, noted))
    assert first.is_over_before(third)
    assert not first.is_over_before(second)
    assert not second.is_over_before(third)
