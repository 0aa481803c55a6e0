"""The `$ref`s of a document: followed within it, and never out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MAX_REFS = 32
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def outside_of(node: Any) -> Iterator[str]:
    """Yield what a document refers to outside itself: Schemathesis would read it, from wherever it lies."""
    left = [node]
    while left:
        each = left.pop()
        if isinstance(each, Mapping):
            yield from (value for key, value in each.items() if _leads_out(key, value))
            left += each.values()
        elif isinstance(each, list):
            left += each


def _leads_out(key: object, value: object) -> bool:
    if not isinstance(value, str):
        return False
    # An `$id` makes all that is below it relative to its address.
    return (
        (key in REFERENCES and not value.startswith("#")) or key == "externalValue" or (key == "$id" and ":" in value)
    )


def resolve(node: Any, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a node's `$ref` within the document, and of `anyOf` with null take the other; {} when it leads nowhere."""
    for _ in range(MAX_REFS):
        if not isinstance(node, Mapping):
            return {}
        if isinstance(node.get("type"), list):
            kinds = [kind for kind in node["type"] if kind != "null"]
            node = dict(node) | {"type": kinds[0] if kinds else "null"}
        if isinstance(node.get("anyOf"), list):
            others = [each for each in node["anyOf"] if isinstance(each, Mapping) and each.get("type") != "null"]
            if len(others) == 1:
                beside = {key: value for key, value in node.items() if key != "anyOf"}
                node = beside | dict(others[0])
                continue
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return dict(node)
        target: Any = raw
        for part in reference.removeprefix("#/").split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        node = target
    return {}
