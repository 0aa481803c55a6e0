"""The pages of a list: where an answer says that the next one is, and how it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.sweeping.describing.document import Operation, path_matches
from harness.sweeping.judging.seeing import Answer

MAX_PAGES = 20
NEXT = frozenset(
    {
        "next",
        "nextcursor",
        "nexthref",
        "nextlink",
        "nextpage",
        "nextpagetoken",
        "nexttoken",
        "nexturl",
        "cursor",
        "endcursor",
        "continuation",
        "continuationtoken",
        "pagetoken",
        "odatanextlink",
    }
)
"""Keys under which an answer says where the next page is, in lower case, their letters alone."""
PARAMETER = re.compile(r"cursor|page|after|before|offset|token|continuation|next|marker", re.IGNORECASE)
SIZE = re.compile(r"size|limit|per|count", re.IGNORECASE)
LINKED = re.compile(r"<([^<>]+)>\s*;[^,]*\brel\s*=\s*\"?next\b", re.IGNORECASE)


def read_on(first: Answer, ask: Callable[[str], Answer | None]) -> str:
    """Ask for the pages that follow one, MAX_PAGES at most; return why not all of them were read, or nothing."""
    asked: set[str] = set()
    answer: Answer | None = first
    while answer is not None:
        mark = next_of(answer)
        if not mark or mark in asked:
            return ""
        if len(asked) == MAX_PAGES:
            return f"more than {MAX_PAGES} further pages"
        asked.add(mark)
        answer = ask(mark)
    return "its next page, which was not answered with success"


def next_of(answer: Answer) -> str:
    """Return what leads to the next page, an address or a mark to be sent; empty when there is none."""
    linked = LINKED.search(answer.header("link"))
    if linked:
        return linked[1]
    document = answer.json()
    if not isinstance(document, Mapping):
        return ""
    within = [value for value in document.values() if isinstance(value, Mapping)]
    return next((mark for node in (document, *within) for mark in _marks(node)), "")


def _marks(node: Mapping[str, Any]) -> Iterator[str]:
    for key, value in node.items():
        if re.sub(r"[^a-z]", "", str(key).lower()) in NEXT:
            said = value.get("href") if isinstance(value, Mapping) else value
            if isinstance(said, str | int) and not isinstance(said, bool) and str(said):
                yield str(said)


def is_address(mark: str, operation: Operation) -> bool:
    """True for a whole address, a query, or a path of the operation's own."""
    if mark.startswith(("http://", "https://", "?")):
        return True
    return path_matches(operation.path, mark.partition("?")[0]) is not None


def parameters(operation: Operation) -> list[str]:
    """Return the parameters of a query that may take the mark of a page, `cursor` and `token` before the others."""
    names = [place.name for place in operation.of("query")]
    fit = [name for name in names if PARAMETER.search(name) and not SIZE.search(name)]
    return sorted(fit, key=lambda name: not re.search(r"cursor|token", name, re.IGNORECASE))
