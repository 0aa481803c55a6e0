"""Where the kind of a plain number is named it accuses, whatever the JSON stands in; elsewhere it does not."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from harness.sweeping.judging.facts import Facts, Thing
from harness.sweeping.judging.leaves import MAX_DEPTH, leaves, leaves_within
from harness.sweeping.judging.seeing import MAX_FILES, Answer, Eye

from .world import BOB, HIS, facts, leaks, text

NUMBER = "123456"
NAMED = json.dumps({"visit_id": 123456})


def numbered() -> Facts:
    """Return the world with a visit of Bob's that a plain number stands for, and one that a word does."""
    known = facts()
    for value in (NUMBER, "2026", "summary"):
        known.add(Thing(value, "visit", BOB, {BOB}))
    return known


@pytest.mark.parametrize(
    "body",
    [
        '{"visit_id": 123456.0}',
        '{"visit_id": 1.23456e5}',
        '{"visits": {"123456": {"a": 1}}}',
        '{"visits": {"123456": "done"}}',
        '{"a": {"visit_ids": {"123456": true}}}',
        '{"id": 1}\n' + NAMED + "\nand more\n",
        ": hello\n\nevent: made\nid: 1\ndata: " + NAMED + "\n\n",
        'data: {"visit_id":\r\ndata: 123456}\r\n\r\n',
        "data: " + NAMED,
        "data: [1\ndata: " + NAMED,
        "\x1e" + NAMED + "\n",
        f"cb({NAMED});",
        f"/**/ typeof cb === 'function' && cb({NAMED});",
        ")]}',\n" + NAMED,
        f"while(1);{NAMED}",
        NAMED + "<!-- served -->",
        json.dumps(NAMED),
        json.dumps({"a": json.dumps({"b": NAMED})}),
        json.dumps({"visit": json.dumps({"id": 123456})}),
        f"data: {json.dumps({'a': NAMED})}\n\n",
    ],
)
def test_a_number_accuses_where_its_kind_is_named(body: str) -> None:
    """A float, a key, a line, an event, a call, and JSON within a string name a kind as well as JSON itself."""
    assert [leak.value for leak in leaks(text(body), known=numbered())] == [NUMBER]
    assert leaks(text(body), BOB, known=numbered()) == []


@pytest.mark.parametrize(
    "body",
    [
        '{"price_id": 123456.0}',
        '{"visit_id": 123456.5}',
        '{"clinics": {"123456": {"a": 1}}}',
        '{"items": {"123456": {"a": 1}}}',
        '{"visits": {"2026": 12}}',
        '{"visits": {"2026": [{"a": 1}]}}',
        '{"visit": {"summary": "all is well"}}',
        '{"size": 123456}\n{"visit": "none"}\n',
        "id: 123456\nretry: 2026\ndata: 123456\n\n",
        'visit({"size": 123456})',
        "visit(123456)",
        json.dumps({"clinic": json.dumps({"id": 123456})}),
        json.dumps({"note": "[123456, 2026]"}),
        json.dumps({"visit_id": "about {123456}"}),
    ],
)
def test_a_number_accuses_nowhere_else(body: str) -> None:
    """Counts, years, properties, other kinds and prose are nobody's, however they are packed."""
    assert leaks(text(body), known=numbered()) == []


@pytest.mark.parametrize("sent", ['{"visit_id": 123456.0}', '{"a": "{\\"visit_id\\": \\"123456\\"}"}', "f(123456)"])
def test_a_number_that_was_sent_is_an_echo(sent: str) -> None:
    """What the viewer sent, as a float or within a string, accuses nobody when it comes back."""
    for body in (NAMED, '{"visit_id": 123456.0}', json.dumps(NAMED)):
        assert leaks(text(body), "nobody", sent, known=numbered()) == []


def test_what_is_too_deep_is_a_doubt() -> None:
    """JSON within a string, or a line, is not followed for ever, and that is told."""
    deep = "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2)
    for body in (json.dumps({"a": deep}), "{}\n" + deep, json.dumps({"a": "[" * 100_000})):
        assert any("deeper" in unread for unread in Eye().look(text(body)).unread)
    assert list(leaves_within("")) == list(leaves_within(" \n" * 9 + "plain")) == []
    assert list(leaves([float("inf"), -0.5, True])) == [("$[0]", "inf"), ("$[1]", "-0.5")]


def packed(folders: int = 0, *, comment: str = "", of_entry: str = "", folder: str = "", content: str = "") -> Answer:
    """Return a ZIP with words where few look."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("a.txt")
        entry.comment = of_entry.encode()
        archive.writestr(entry, "x")
        for number in range(folders):
            archive.writestr(f"{number}/", "")
        if folder:
            archive.writestr(f"{folder}/", content)
        archive.comment = comment.encode()
    return Answer(200, "OK", {"Content-Type": "application/zip"}, out.getvalue())


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (packed(comment=f"of {HIS}"), "body comment"),
        (packed(of_entry=HIS), "body comment of a.txt"),
        (packed(folder=HIS), f"body {HIS}/"),
        (packed(folder="b", content=HIS), "body b/"),
    ],
)
def test_a_zip_is_looked_at_everywhere(answer: Answer, where: str) -> None:
    """Comments, the name of an empty folder, and what is packed under a folder's name are shown by some program."""
    assert [(leak.value, leak.where) for leak in leaks(answer)] == [(HIS, where)]


def test_more_folders_than_are_looked_at_are_a_doubt() -> None:
    """Names of folders are read up to the limit of files."""
    assert Eye().look(packed(MAX_FILES)).unread == []
    assert Eye().look(packed(MAX_FILES + 1)).unread == ["body: 401 folders, more than 400"]
