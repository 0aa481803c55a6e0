"""What is secret is known by its name, and hidden in whatever writing."""

from __future__ import annotations

import base64
import json

import pytest

from harness.redact import Secrets


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({"headers": [{"name": "Authorization", "value": "Bearer abc-123-xyz"}]}, {"abc-123-xyz"}),
        ({"headers": [{"name": "cookie", "value": "a=first-1; sid=second-2"}]}, {"first-1", "second-2"}),
        ({"arg": {"o": [{"k": "accessToken", "v": {"s": "abc-123-xyz"}}]}}, {"abc-123-xyz"}),
        ({"text": '{"client_secret": "abc-123-xyz", "name": "Alice Liddell"}'}, {"abc-123-xyz"}),
        ({"text": "grant=password&password=abc%26123-xyz"}, {"abc&123-xyz", "abc%26123-xyz"}),
        ({"url": "http://127.0.0.1/?page=20&token=abc-123-xyz#top"}, {"abc-123-xyz"}),
        ({"html": ["INPUT", {"type": "password", "__playwright_value_": "abc-123-xyz"}]}, {"abc-123-xyz"}),
        ({"api_key": "abc-123-xyz"}, {"abc-123-xyz"}),
        ({"name": "X-Session_ID", "value": "abc-123-xyz"}, {"abc-123-xyz"}),
        ({"url": "http://127.0.0.1/r/1?X-Signature=abc-123-xyz"}, {"abc-123-xyz"}),
        ({"Set-Cookie": "s=abc-123-xyz; Path=/; SameSite=Strict; Max-Age=3600000"}, {"abc-123-xyz"}),
    ],
)
def test_found(written: object, kept: set[str]) -> None:
    """A secret is known by the name beside it, wherever a trace has it, and then hidden everywhere in any writing."""
    secrets = Secrets()
    scrubbed = json.dumps(secrets.scrub(written))
    assert not any(secret in secrets.mask(scrubbed) for secret in kept)
    for secret in kept:
        for text in (secret, f"x{secret}y", json.dumps(json.dumps(secret))):
            assert secret not in secrets.mask(text)
        for before in ("", "a", "ab"):
            coded = base64.b64encode(f"{before}{secret}-and-more".encode()).decode()
            assert base64.b64encode(f"{before}{secret}".encode())[4:-4].decode() not in secrets.mask(coded)
    for innocent in ("page=20", "Strict", "3600000", "true", "password", "Alice Liddell"):
        assert secrets.mask(innocent) == innocent


def test_too_short() -> None:
    """A secret of three letters cannot be hidden without hiding half of every text, and this is said."""
    with pytest.raises(ValueError, match="of 3 characters"):
        Secrets().add("abc")
