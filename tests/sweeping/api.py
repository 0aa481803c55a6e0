"""A small API as an OpenAPI document, and a server that answers for it as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = {"200": {"description": "Fine.", "content": {"application/json": {"schema": {"type": "object"}}}}}
MADE = {"201": OK["200"]}


def in_path(name: str) -> dict[str, Any]:
    """Return a parameter of a path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def body(**properties: Any) -> dict[str, Any]:
    """Return a JSON body of which all properties are required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "A small clinic", "version": "1"},
    "paths": {
        "/visits": {
            "get": {"responses": OK},
            "post": {
                "requestBody": body(
                    clinician={"type": "string", "pattern": "^[a-z0-9.-]+$"},
                    medium={"type": "string", "enum": ["audio", "video"]},
                    note={"type": "string"},
                ),
                "responses": MADE,
            },
        },
        "/visits/{visit}": {
            "parameters": [in_path("visit")],
            "get": {"responses": OK},
            "delete": {"responses": {"204": {"description": "Gone."}}},
        },
        "/visits/{visit}/link": {"post": {"parameters": [in_path("visit")], "responses": MADE}},
        "/links/{link}": {"get": {"parameters": [in_path("link")], "responses": OK}},
        "/visits/{visit}/end": {"post": {"parameters": [in_path("visit")], "responses": OK}},
        "/sign-out": {"post": {"responses": {"204": {"description": "Gone."}}}},
    },
}

Answers = Callable[[str, str, str], tuple[Any, ...]]
"""From method, path and credential to status, JSON or bytes, and headers if there are any."""


@contextmanager
def served(answers: Answers, document: Any = DOCUMENT) -> Iterator[str]:
    """Serve the document at /openapi.json, and the answers elsewhere; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            credential = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, said, *more = (
                (200, document) if self.path == "/openapi.json" else answers(self.command, self.path, credential)
            )
            data = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
