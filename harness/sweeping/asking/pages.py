"""The pages of a list: where an answer says that the next one is, and how it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.sweeping.describing.document import Document, Operation
from harness.sweeping.describing.templates import path_matches
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
OWN = frozenset({"cursor", "endcursor", "pagetoken"})
"""Those that may as well be the mark of the page itself."""
PARAMETER = re.compile(r"cursor|page|after|offset|token|continuation|next|marker|scroll")
NAMED = re.compile(rf"(?:{PARAMETER.pattern}|starting|start|skip|number|num|mark|id)+")
"""All of such a parameter's words, so that neither `created_after` nor `csrf_token` nor `page_size` is one."""
LINKED = re.compile(r"<([^<>]+)>\s*;[^,]*\brel\s*=\s*\"?next\b", re.IGNORECASE)


def read_on(first: Answer, ask: Callable[[str], Answer | None], takes: Callable[[str], bool]) -> str:
    """Ask for the pages that follow one, MAX_PAGES at most; return why not all of them were read, or nothing.

    `takes` says whether a mark can be asked for.
    """
    asked: set[str] = set()
    answer: Answer | None = first
    leads = False
    while answer is not None:
        named = [(key, mark) for key, mark in _named(answer) if not mark or takes(mark)]
        leads = leads or any(key not in OWN for key, _ in named)
        mark = next((mark for _, mark in named if mark and mark not in asked), "")
        if not mark:
            goes_on = {key in OWN for key, mark in named if mark}
            # The mark of the page itself is no next one where another key leads on, or where nothing came with it.
            is_over = not goes_on or (goes_on == {True} and (leads or _is_empty(answer)))
            return "" if is_over else "its next page, which is the page itself"
        if len(asked) == MAX_PAGES:
            return f"more than {MAX_PAGES} further pages"
        asked.add(mark)
        answer = ask(mark)
    return "its next page, which was not answered with success"


def marks_of(answer: Answer) -> list[str]:
    """Return what may lead to the next page, addresses or marks to be sent, the likeliest first."""
    return [mark for _, mark in _named(answer) if mark]


def _named(answer: Answer) -> list[tuple[str, str]]:
    """Return each key that may lead on with its mark, which is empty when it says that there is none."""
    linked = LINKED.search(answer.header("link"))
    document = answer.json()
    nodes = [document, *document.values()] if isinstance(document, Mapping) else []
    named = [pair for node in nodes if isinstance(node, Mapping) for pair in _marks(node)]
    return [*([("link", linked[1])] if linked else []), *sorted(named, key=lambda pair: pair[0] in OWN)]


def _marks(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        word = _letters(str(key))
        if word in NEXT:
            said = value.get("href") if isinstance(value, Mapping) else value
            yield word, str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""


def _is_empty(answer: Answer) -> bool:
    """True for a page with no list that holds anything."""
    document = answer.json()
    nodes = [document, *document.values()] if isinstance(document, Mapping) else [document]
    parts = [part for node in nodes for part in (node.values() if isinstance(node, Mapping) else [node])]
    return not any(isinstance(part, list) and part for part in parts)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def is_address(mark: str, operation: Operation, document: Document) -> bool:
    """True for a whole address, a query, or a path of the operation's own."""
    if mark.startswith(("http://", "https://", "?")):
        return True
    return any(path_matches(operation.path, path) is not None for path in document.paths_of(mark))


def parameters(operation: Operation) -> list[str]:
    """Return the parameters of a query that may take the mark of a page, `cursor` and `token` before the others."""
    names = [place.name for place in operation.of("query")]
    fit = [name for name in names if NAMED.fullmatch(_letters(name)) and PARAMETER.search(name.lower())]
    return sorted(fit, key=lambda name: not re.search(r"cursor|token", name, re.IGNORECASE))
