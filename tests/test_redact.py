"""What is secret is known by its name, and hidden in whatever writing."""

from __future__ import annotations

import base64
import json

import pytest

from harness.redact import NotRedactableError, Secrets, clean_har, plain, trace, without_login
from harness.redact.secrets import MAX_FOUND


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


S = "s3cr3t-Value-77"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123456789"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"GET /replays?access_token={S}&page=2: 500", "GET /replays?access_token=REDACTED&page=2: 500"),
        (f"https://h/m.webm?sig={S}#t", "https://h/m.webm?sig=REDACTED#t"),
        ("wss://h/?ticket=TICKETSECRET12", "wss://h/?ticket=REDACTED"),
        (f"/next%3Faccess_token%3D{S}", "/next%3Faccess_token%3DREDACTED"),
        (f"https://me:{S}@h/x", "https://REDACTED@h/x"),
        (f"postgres://me:{S}@h and https:\\/\\/me:{S}@h", "postgres://REDACTED@h and https:\\/\\/REDACTED@h"),
        (f"it held {JWT}.", "it held REDACTED"),
        (f"sent Bearer {S} to it", "sent Bearer REDACTED to it"),
        ("Basic dXNlcjpwYXNz", "Basic REDACTED"),
        (f"Authorization: Bearer {S}\nHost: h", "Authorization: REDACTED\nHost: h"),
        (f"X-Auth: {S}", "X-Auth: REDACTED"),
        (f"Cookie: theme=dark; sid={S}", "Cookie: REDACTED"),
        (f'{{"password":"{S} two","page":2}}', '{"password":"REDACTED","page":2}'),
        (f'"{{\\"password\\": \\"{S}\\"}}"', '"{\\"password\\": \\"REDACTED\\"}"'),
        (f"{{'sessionKey': '{S}'}}", "{'sessionKey': 'REDACTED'}"),
        ('{"pin": 4711, "otp": "123456"}', '{"pin": REDACTED, "otp": "REDACTED"}'),
        (f'{{"tokens": ["{S}", "b"], "page": 2}}', '{"tokens": REDACTED, "page": 2}'),
        (f"headers={{('Authorization', 'Bearer {S}')}}", "headers={('Authorization', 'REDACTED')}"),
        ("localStorage.setItem('session', 'LSSECRET11')", "localStorage.setItem('session', 'REDACTED')"),
        ("{ key: 'KEYSECRET04', code: 'CODESECRET05' }", "{ key: 'REDACTED', code: 'REDACTED' }"),
        (f"<password>{S}</password>", "<password>REDACTED</password>"),
        (f'<input name="csrf_token" value="{S}">', '<input name="csrf_token" value="REDACTED">'),
        (f"<meta content='{S}' name=csrf-token>", '<meta content="REDACTED" name=csrf-token>'),
        (f"password: correct horse battery\nthen {S}", f"password: REDACTED\nthen {S}"),
        (f"token={S}\nechoed {S}", "token=REDACTED\nechoed REDACTED"),
    ],
)  # fmt: skip
def test_texts(text: str, masked: str) -> None:
    """A secret in an error's text is known by its shape or by the name before it; what stands around it stays."""
    assert plain(text) == masked
    assert plain(masked) == masked


def test_what_is_harmless_stays_whatever_it_is_called() -> None:
    """A flag may be called as secrets are; the report's own answer, and the command to paste, must not be masked."""
    said = f"ship: safe with sms-otp=enforced; --set tls-key=tls13-only2 token={S} my-sms-otp=enforced9Z tls13-only2"
    flags = ("sms-otp=enforced", "sms-otp=off", "tls-key=tls13-only2")
    masked = (
        "ship: safe with sms-otp=enforced; --set tls-key=tls13-only2 token=REDACTED my-sms-otp=REDACTED tls13-only2"
    )
    assert plain(said, flags) == masked
    assert "sms-otp=REDACTED" in plain(said)


@pytest.mark.parametrize(
    "text",
    [
        "leaks when new-auth=on and sms-otp=off and session=v2   (the other 8 flags do not matter)",
        "#35   bob      emitted   video in visit-2 as 16632356390485234479",
        "bob opened rec-e6ec607e19a6fb69 -> 16632356402297116720, bob of trial 639d902f   <--- here",
        "harness run --trial 8125c04d --seed 0 --coverage t-way:1 --flaw video-branch-skips-owner --out /tmp/o-again",
        "GET http://127.0.0.1:8080/replays?page=2&sort=newest answered 404, code: not_yours",
        '{"status": 500, "code": "replay-not-found", "key": "Enter", "state": "connected"}',
        "a basic example of a token that expired; the signature: invalid; session: closed; exit code: 6",
        "Bearer token is missing, no Authorization header; user@example.org was told",
        "the bearer of it passes; pinned=3.18.0; mapping=x; compass=north-east; cookies=none",
    ],
)
def test_ordinary_texts(text: str) -> None:
    """What the harness says, ids, status codes and flags stay as they are."""
    assert plain(text) == text


def test_headers() -> None:
    """Only headers that are known to be harmless keep their values."""
    headers = {"X-Request-Owner": "abc-123-xyz", "Content-Type": "text/html", ":path": "/?sig=abc-123-xyz"}
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    told = Secrets().scrub({"headers": listed, "extraHTTPHeaders": headers})
    kept = {"X-Request-Owner": "REDACTED", "Content-Type": "text/html", ":path": "/?sig=REDACTED"}
    assert {each["name"]: each["value"] for each in told["headers"]} == kept
    assert told["extraHTTPHeaders"] == kept


def test_ordinary_words_stay() -> None:
    """A word beside a secret's name is hidden there alone: elsewhere a trace needs it."""
    secrets = Secrets()
    told = secrets.scrub([{"token": "request", "auth": "required"}, {"js": "token = event.request; auth: 'snapshot'"}])
    assert told[0] == {"token": "REDACTED", "auth": "REDACTED"}
    assert secrets.mask("request required snapshot event.request") == "request required snapshot event.request"


def test_not_text() -> None:
    """Half a character, as a target's JSON may have it, is replaced and nothing is raised."""
    assert plain(f"\ud800 token={S} {S}\ud800") == "\ufffd\ufffd\ufffd token=REDACTED REDACTED\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    "letters",
    ["a", "=", "token", "token=", "'", "\\", "[", "token:[", "key:[", 'key:"a",', "eyJaaaaaa.", "<input ", " "],
)
def test_long_texts(letters: str) -> None:
    """No text takes for ever, whatever is repeated in it: not the square of its length."""
    assert plain(letters * (300_000 // len(letters)))


def test_more_than_is_remembered() -> None:
    """What holds more secrets than are remembered says so, for some might be left."""
    secrets = Secrets()
    secrets.scrub([{"token": f"tok-{n:06}-x7"} for n in range(MAX_FOUND + 1)])
    assert secrets.is_full


def test_more_than_can_be_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in which masking would take too long is refused before it is begun."""
    secrets = Secrets()
    log = json.dumps([{"name": "token", "value": f"tok-{n:06}-x7"} for n in range(10)]).encode()
    assert b"tok-000009" not in clean_har(log, secrets)
    monkeypatch.setattr(trace, "MAX_WORK_BYTES", secrets.work_bytes(len(log)) // 2)
    with pytest.raises(NotRedactableError, match="too many secrets for its size"):
        clean_har(log, secrets)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ops:s3cret@clinic.test:8443/api?x=1", "https://clinic.test:8443/api?x=1"),
        ("http://token@127.0.0.1:9", "http://127.0.0.1:9"),
        ("http://ops:p@ss@clinic.test", "http://clinic.test"),
        ("http://clinic.test/of/@alice", "http://clinic.test/of/@alice"),
        ("package.module:factory", "package.module:factory"),
        ("clinic", "clinic"),
    ],
)
def test_an_address_is_shown_without_who_may_enter(address: str, shown: str) -> None:
    """What stands before the host is left out, and nothing else."""
    assert without_login(address) == shown
