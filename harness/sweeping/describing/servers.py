"""The servers that a document names, whose addresses may hold a password."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.redact import plain


def filled(server: Mapping[str, Any]) -> Any:
    """Return a server's address with the default of each variable that has one."""
    url, variables = server.get("url"), server.get("variables")
    if not isinstance(url, str) or not isinstance(variables, Mapping):
        return url
    for name, variable in variables.items():
        if isinstance(variable, Mapping) and isinstance(variable.get("default"), str):
            url = url.replace(f"{{{name}}}", variable["default"])
    return url


def without_passwords(raw: Mapping[str, Any], text: str) -> str:
    """Return a text, such as what a library says of a document, without whoever is named before a server's host.

    Elsewhere a password in an address is known by what stands before it, which such a text may leave out.
    """
    for server in _servers(raw):
        url = filled(server)
        authority = re.split(r"[/?#]", url.partition("://")[2])[0] if isinstance(url, str) else ""
        who = authority.rpartition("@")[0]
        if who:
            text = text.replace(f"{who}@", "")
    return plain(text)


def _servers(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the servers of a document, of its paths, and of their operations."""
    paths = raw.get("paths")
    items = [each for each in paths.values() if isinstance(each, Mapping)] if isinstance(paths, Mapping) else []
    operations = [each for item in items for each in item.values() if isinstance(each, Mapping)]
    for node in (raw, *items, *operations):
        servers = node.get("servers")
        yield from (each for each in (servers if isinstance(servers, list) else ()) if isinstance(each, Mapping))
