"""One sweep's doubts: what it had to leave out is said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.drivers.api import Exchange
from harness.errors import UsageError
from harness.running.settings import Settings
from harness.sweeping.asking.found import Found
from harness.sweeping.asking.tour import OverError, Tour
from harness.sweeping.describing.document import understand
from harness.sweeping.judging.facts import Thing
from harness.sweeping.judging.judge import Leak
from harness.sweeping.replaying import replay
from harness.sweeping.run import Orders, Run
from harness.sweeping.wire.transfer import shown

from .api import DOCUMENT
from .test_tour import tour
from .world import ALICE, BOB

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


def test_numbers_that_two_kinds_share_are_a_doubt() -> None:
    """One number of two kinds stands for the first alone; long references, and one thing met twice, are no doubt."""
    run = Run(Orders(Settings()), NOTHING, None, lambda _: None)
    for value in ("17", "rec-0a1b2c"):
        run.facts.add(Thing(value, "consultation", ALICE))
        run.facts.add(Thing(value, "consultation_id", ALICE))
    run.facts.add(Thing("rec-0a1b2c", "recording", BOB))
    assert run.left_out() == []
    run.facts.add(Thing("17", "recording", BOB))
    assert run.left_out() == [
        "consultation and recording have numbers in common, such as 17: whose is whose cannot be told"
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
    variables = {"host": {"default": "a.invalid"}, "port": {"default": "8080"}, "no": {"default": "{no}"}}
    raw = {**DOCUMENT, "servers": [{"url": server, "variables": variables}]} if server else DOCUMENT
    run = Run(Orders(Settings(), openapi), NOTHING, understand(raw, openapi), lambda _: None)
    return run._address(run.document) if run.document else ""


@pytest.mark.parametrize(
    ("openapi", "server", "expected"),
    [
        ("openapi.json", "https://clinic.invalid/v1", "https://clinic.invalid/v1"),
        ("http://a.invalid:80/openapi.json", "http://A.invalid/v1", "http://A.invalid/v1"),
        ("http://a.invalid/openapi.json", "", "http://a.invalid"),
        ("openapi.json", "http://{host}:{port}/v1", "http://a.invalid:8080/v1"),
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


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (
            "http://me:s3cret@{host}:{no}/v1?token=s3cret",
            r"http://a\.invalid:\{no\}/v1\?\S+ has a variable without a default",
        ),
        ("http://me:s3cret@a.invalid:none/v1", "http://a.invalid:none/v1 is no address"),
    ],
)
def test_a_server_that_is_no_address_is_told(server: str, why: str) -> None:
    """What is no address, or has a variable that nobody filled in, is one line that names it, without its password."""
    with pytest.raises(UsageError, match=f"its server {why}$") as refused:
        asked_at("openapi.json", server)
    assert "s3cret" not in str(refused.value)


def test_what_is_no_address_is_shown_without_its_secrets() -> None:
    """What no parser takes for an address is written down all the same, and no password or token in it."""
    assert shown("http://me:s3cret@[::1/v1?token=s3cret") == "http://[::1/v1"


def test_a_fault_of_the_harness_takes_back_no_finding() -> None:
    """What was found before a fault is kept, and the fault is a doubt of one line without a secret."""

    class Broken(Tour):
        def require_time(self, step: str = "") -> None:
            raise ValueError(f"password=s3cret\nin {step}")

    run = Run(Orders(Settings()), NOTHING, None, lambda _: None)
    run.observe(Exchange("alice", "GET", "/", {}, None, 200, b"", 0.0, 0.0))
    leak = Leak("GET /visits", ALICE, BOB, "presented", "", "", "", "")
    run.tour = Broken(*[NOTHING] * 12)
    run.tour.found[leak.key] = Found(leak, "own", 200, "")
    asyncio.run(run._ask(run.tour))
    assert run.tour.found
    assert run.doubts == [
        "the harness failed while it asked: ValueError: password=REDACTED in judging what the story brought"
    ]
