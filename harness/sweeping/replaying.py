"""The story's own requests, judged like all others: what they brought is learnt before anything else is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import unquote

import requests

from harness.drivers.api import Exchange
from harness.sweeping.asking.curl import as_curl
from harness.sweeping.asking.references import texts
from harness.sweeping.asking.tour import Tour
from harness.sweeping.describing import document as documents
from harness.sweeping.judging.judge import Request
from harness.sweeping.judging.seeing import Answer

STEP = "judging what the story brought"


def replay(tour: Tour, exchanges: Sequence[Exchange], accounts: Mapping[str, str], address: str) -> None:
    """Take what the story's requests brought: operations that were reached, references, answers to judge.

    Raises OverError when time is over before all were judged; `tour.unasked` then says so. `accounts` are those of
    the actors by their names.
    """
    for exchange in exchanges:
        tour.require_time(STEP)
        path = unquote(exchange.path.partition("?")[0])
        found = documents.operation_of(tour.document, exchange.method, path)
        account = accounts.get(exchange.actor)
        if found is None or account is None:
            continue
        operation, given = found
        tour.reach[operation.label].add(account, "story", exchange.status)
        for name, value in given.items():
            tour.references.add(name, value)
        words = tuple(texts(Answer(0, body=exchange.body or b"").json()))
        tour.take(
            operation,
            account,
            "story",
            Request(operation.label, exchange.method, path, (path, *words)),
            Answer(exchange.status, body=exchange.answer),
            (*given.values(), *words),
            curl=partial(_told, tour, exchange, address, operation.path),
        )


def _told(tour: Tour, exchange: Exchange, address: str, template: str) -> str:
    """Return a request of the story's as a curl command; a file that it uploads is left out."""
    body = exchange.body if Answer(0, body=exchange.body or b"").json() is not None else None
    headers = dict(exchange.headers)
    sent = requests.Request(exchange.method, address + exchange.path, headers=headers, data=body).prepare()
    return as_curl(sent, exchange.actor.partition(".")[0], tour.facts, tour.caller.secrets, template)
