"""One sweep's doubts: what it had to leave out is said."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drivers.api import Exchange
from harness.errors import UsageError
from harness.running.settings import Settings
from harness.sweeping.asking.tour import OverError, Tour
from harness.sweeping.describing.document import understand
from harness.sweeping.judging.facts import Thing
from harness.sweeping.replaying import replay
from harness.sweeping.run import Orders, Run

from .api import DOCUMENT
from .test_tour import tour
from .world import ALICE

NOTHING: Any = None
"""What a run that is not begun does not look at."""


def test_what_is_left_out_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story with too many requests, and too many things, are each a doubt; as many as may be are none."""
    monkeypatch.setattr("harness.sweeping.run.MAX_EXCHANGES", 2)
    monkeypatch.setattr("harness.sweeping.run.MAX_THINGS", 2)
    monkeypatch.setattr("harness.sweeping.judging.facts.MAX_THINGS", 2)
    run = Run(Orders(Settings()), NOTHING, None, lambda _: None)
    for number in range(2):
        run.observe(Exchange("alice", "GET", "/", {}, None, 200, b"", 0.0, 0.0))
        run.facts.add(Thing(f"visit-{number}", "visit", ALICE))
        run.facts.add(Thing("visit-0", "visit", ALICE))
    assert run.left_out() == []
    run.observe(Exchange("alice", "GET", "/", {}, None, 200, b"", 0.0, 0.0))
    run.facts.add(Thing("visit-2", "visit", ALICE))
    assert [doubt.partition(":")[0] for doubt in run.left_out()] == [
        "the story made more than 2 requests",
        "more than 2 things were met",
    ]


def test_an_interruption_ends_what_is_judged_of_the_story() -> None:
    """However many answers the story brought, none is looked at after Ctrl-C, and that is a doubt."""

    def run(made: Tour) -> None:
        made.stop.set()
        exchange = Exchange("alice", "GET", "/visits", {}, None, 200, b"{}", 0.0, 0.0)
        with pytest.raises(OverError):
            replay(made, [exchange] * 5_000, {"alice": ALICE}, "http://127.0.0.1:1")

    assert tour(lambda *_: (200, {}), run).unasked == "judging what the story brought"


def asked_at(openapi: str, server: str) -> str:
    """Return where a sweep would send its requests, of a document that comes from one place and names another."""
    raw = {**DOCUMENT, "servers": [{"url": server}]} if server else DOCUMENT
    run = Run(Orders(Settings(), openapi), NOTHING, understand(raw, openapi), lambda _: None)
    return run._address(run.document) if run.document else ""


@pytest.mark.parametrize(
    ("openapi", "server", "expected"),
    [
        ("openapi.json", "https://clinic.invalid/v1", "https://clinic.invalid/v1"),
        ("http://a.invalid:80/openapi.json", "http://A.invalid/v1", "http://A.invalid/v1"),
        ("http://a.invalid/openapi.json", "", "http://a.invalid"),
        ("http://me:s3cret@a.invalid/openapi.json", "", "http://a.invalid"),
    ],
)
def test_where_requests_go(openapi: str, server: str, expected: str) -> None:
    """They go where the document came from, or where a file of one's own says."""
    assert asked_at(openapi, server) == expected


def test_no_document_sends_them_elsewhere() -> None:
    """A document that was fetched and names a server of another origin is refused, and both are told."""
    with pytest.raises(
        UsageError, match=r"comes from http://a\.invalid and its server is http://b\.invalid"
    ) as refused:
        asked_at("http://me:s3cret@a.invalid/openapi.json", "http://b.invalid/")
    assert "s3cret" not in str(refused.value)


def test_a_server_that_is_no_address_is_refused() -> None:
    """A port beyond all ports is said in one line."""
    with pytest.raises(UsageError, match=r"its server http://h:99999999/v1 is no address"):
        asked_at("openapi.yaml", "http://h:99999999/v1")
