"""The target's OpenAPI document: read from a file or an address, and its operations with what can be put into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import schemathesis
from schemathesis.core.result import Ok

from harness.errors import UsageError, nearest
from harness.sweeping.describing.pointers import outside_of, resolve
from harness.sweeping.describing.servers import filled, without_passwords
from harness.sweeping.describing.source import first_line, parsed
from harness.sweeping.describing.templates import MAX_PATH, path_matches
from harness.sweeping.wire.transfer import shown

MAX_OPERATIONS = 2_000
EVENTS = "text/event-stream"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SUPPORTED = re.compile(r"3\.[012](\.|$)")
END_WORDS = frozenset(
    {
        "cancel",
        "close",
        "complete",
        "delete",
        "destroy",
        "end",
        "erase",
        "leave",
        "purge",
        "remove",
        "revoke",
        "terminate",
    }
)
SIGN_OUT_WORDS = frozenset({"signout", "logout", "logoff", "sign-out", "log-out", "signoff"})

Where = Literal["path", "query", "body"]


class Harm(IntEnum):
    """How much an operation destroys of what others may still need, the least first."""

    NONE = 0
    SETS_UP = 1
    CREATES = 2
    CHANGES = 3
    ENDS = 4
    DELETES = 5
    ENDS_SESSION = 6


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a value goes in a request: a parameter, or a property at the top of a JSON body, with its schema."""

    name: str
    where: Where
    schema: Mapping[str, Any]
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document, with Schemathesis's own view of it."""

    label: str
    method: str
    path: str
    places: tuple[Place, ...]
    creates: bool
    is_stream: bool
    api: Any = field(repr=False, compare=False)

    @property
    def is_safe(self) -> bool:
        """True for a method that changes nothing (RFC 9110, 9.2.1)."""
        return self.method in SAFE

    @property
    def collection(self) -> str:
        """The last fixed part of the path in the singular: what an `id` in its answer is an id of."""
        return collection_of(self.path)

    @property
    def harm(self) -> Harm:
        """How much it destroys."""
        last = self.path.rstrip("/").rpartition("/")[2].lower()
        if self.is_safe:
            return Harm.NONE
        if last in SIGN_OUT_WORDS:
            return Harm.ENDS_SESSION
        if self.method == "DELETE":
            return Harm.DELETES
        if last in END_WORDS:
            return Harm.ENDS
        if self.method in ("PUT", "PATCH"):
            return Harm.SETS_UP if "{" not in self.path else Harm.CHANGES
        return Harm.CREATES if self.creates else Harm.CHANGES

    def of(self, where: Where) -> tuple[Place, ...]:
        """Return the places of one kind."""
        return tuple(place for place in self.places if place.where == where)


@dataclass(frozen=True, slots=True)
class Document:
    """The document as it came, where from, its operations in its own order, and why others are not among them.

    `prefix` is the path of the address that is asked, such as `/api/v1`, which its own paths do not have.
    """

    source: str
    raw: Mapping[str, Any] = field(repr=False)
    operations: tuple[Operation, ...]
    broken: tuple[str, ...] = ()
    prefix: str = ""

    def at(self, address: str) -> Document:
        """Return the document of an API that is asked at this address."""
        return replace(self, prefix=urlsplit(address).path.rstrip("/"))

    def paths_of(self, text: str) -> tuple[str, ...]:
        """Return what paths of the document an address or a path may mean: as it is, and without the prefix."""
        if len(text) > MAX_PATH:
            return ()
        try:
            path = urlsplit(text).path
        except ValueError:
            return ()
        if not path.startswith("/"):
            return ()
        is_within = bool(self.prefix) and path.startswith(f"{self.prefix}/")
        return (path.removeprefix(self.prefix), path) if is_within else (path,)

    def addressed(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the parameters, with their names, of each operation that a text may be the address of."""
        for path in self.paths_of(text):
            for operation in self.operations:
                yield from (path_matches(operation.path, path) or {}).items()

    @property
    def server(self) -> str | None:
        """The first absolute address among its servers, its variables as they are by default."""
        servers = self.raw.get("servers")
        for server in servers if isinstance(servers, list) else ():
            url = filled(server) if isinstance(server, Mapping) else None
            if isinstance(url, str) and url.startswith(("http://", "https://")):
                return url.rstrip("/")
        return None


def collection_of(path: str) -> str:
    """Return the last fixed part of a path in the singular: what an `id` in its answer is an id of."""
    fixed = [part for part in path.split("/")[1:] if part and not part.startswith("{")]
    return singular(fixed[-1]) if fixed else ""


def singular(word: str) -> str:
    """Return an English plural in the singular: `consultations`, `pharmacies`."""
    word = word.lower()
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def read(source: str, place: str = "--openapi") -> Document:
    """Read and understand a document; `place` says in an error who named it.

    Raises UsageError, one line that names the place, when it is absent, broken, no object, or describes no operation
    or more than MAX_OPERATIONS.
    """
    return understand(parsed(source, place), source, place)


def understand(raw: Any, source: str, place: str = "--openapi") -> Document:
    """Return the operations of a document that was parsed; raise UsageError as `read` does."""
    where = f"{place} {shown(source)}"
    if not isinstance(raw, dict):
        raise UsageError(f"{where}: an OpenAPI document is an object, this is {_kind(raw)}")
    version = raw.get("openapi")
    if not isinstance(version, str):
        hint = nearest("openapi", [key for key in raw if isinstance(key, str)])
        raise UsageError(f"{where}: it has no `openapi` with its version, so it is no OpenAPI 3 document{hint}")
    if not SUPPORTED.match(version):
        raise UsageError(f"{where}: OpenAPI {version[:20]} is not known; there are 3.0, 3.1 and 3.2")
    paths = raw.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise UsageError(f"{where}: it has no `paths`, so there is nothing to ask")
    for path, item in paths.items():
        if not isinstance(item, dict):
            raise UsageError(f"{where}: paths.{path} is {_kind(item)}, not an object")
    outside = next(outside_of(raw), "")
    if outside:
        raise UsageError(
            f"{where}: it refers to {shown(outside)[:200]}, and nothing outside it is read; bundle it first"
        )
    operations, broken = _operations(raw, where)
    if not operations:
        why = f": {broken[0]}" if broken else ""
        raise UsageError(f"{where}: it describes no operation that could be called{why}")
    return Document(shown(source), raw, tuple(operations), tuple(broken))


def _operations(raw: Mapping[str, Any], where: str) -> tuple[list[Operation], list[str]]:
    clean = partial(without_passwords, raw)
    try:
        schema = schemathesis.openapi.from_dict(json.loads(json.dumps(raw)), config=schemathesis.Config.from_dict({}))
        found = list(schema.get_all_operations())
    except Exception as error:
        # A foreign library's many errors about a foreign document.
        raise UsageError(f"{where}: {first_line(error, clean)}") from error
    if len(found) > MAX_OPERATIONS:
        raise UsageError(f"{where}: {len(found):,} operations, and a sweep asks {MAX_OPERATIONS:,}; give it in parts")
    operations, broken = [], []
    for each in found:
        if not isinstance(each, Ok):
            broken.append(first_line(each.err(), clean))
            continue
        try:
            operations.append(_operation(each.ok(), raw))
        except Exception as error:  # noqa: BLE001 - as above: one operation that cannot be explained is told of
            broken.append(first_line(error, clean))
    return operations, broken


def _operation(api: Any, raw: Mapping[str, Any]) -> Operation:
    definition = resolve(api.definition.raw, raw)
    places = [
        Place(
            parameter["name"],
            parameter["in"],
            resolve(parameter.get("schema", {}), raw),
            parameter["in"] == "path" or bool(parameter.get("required")),
        )
        for parameter in (resolve(each, raw) for each in _parameters(api, definition, raw))
        if parameter.get("in") in ("path", "query") and isinstance(parameter.get("name"), str)
    ]
    body = resolve(definition.get("requestBody", {}), raw)
    schema = resolve(body.get("content", {}).get("application/json", {}).get("schema", {}), raw)
    required = schema.get("required", ())
    for name, part in (schema.get("properties") or {}).items():
        places.append(Place(name, "body", resolve(part, raw), name in required))
    responses = definition.get("responses", {})
    return Operation(
        label=api.label,
        method=api.method.upper(),
        path=api.path,
        places=tuple(places),
        creates="201" in responses,
        is_stream=any(EVENTS in (resolve(each, raw).get("content") or {}) for each in responses.values()),
        api=api,
    )


def _parameters(api: Any, definition: Mapping[str, Any], raw: Mapping[str, Any]) -> list[Any]:
    shared = resolve(raw.get("paths", {}).get(api.path, {}), raw).get("parameters", [])
    return [*shared, *definition.get("parameters", [])]


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), type(value).__name__)


def operation_of(document: Document, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return the operation that a request was of, and the parameters in its path; fixed paths come first."""
    for operation in sorted(document.operations, key=lambda each: each.path.count("{")):
        given = path_matches(operation.path, path) if operation.method == method else None
        if given is not None:
            return operation, given
    return None
