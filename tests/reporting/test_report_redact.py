"""What a driver kept goes into the report without its secrets."""

import io
import json
import subprocess
import sys
import zipfile

import pytest

from harness.redact import NotRedactableError, Secrets, clean_har, clean_trace, plain
from harness.redact import packed as zipped

CARRIED = "tok-5f2e9c1b7a"
MAX_BYTES = 2**20
HAR = {
    "log": {
        "entries": [
            {
                "request": {
                    "url": "http://127.0.0.1/replays",
                    "headers": [{"name": "Authorization", "value": f"Bearer {CARRIED}"}],
                    "postData": {"text": json.dumps({"account": "alice", "password": "correct horse"})},
                },
                "response": {"content": {"text": json.dumps({"title": "Replays", "echo": CARRIED})}},
            }
        ]
    }
}


def har(data: bytes) -> bytes:
    """Return a HAR file as it is attached."""
    return clean_har(data, Secrets())


def trace(data: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """Return a trace as it is attached."""
    return zipped(clean_trace(data, Secrets(), max_bytes))


def packed(**members: bytes) -> bytes:
    """Return a ZIP file of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, body in members.items():
            file.writestr(name.replace("_", "."), body)
    return buffer.getvalue()


def test_tokens_and_passwords_leave_a_har_wherever_they_stand() -> None:
    """A token is known by its header's name, and is gone from an answer's body too; all else stays."""
    cleaned = har(json.dumps(HAR).encode())
    assert CARRIED.encode() not in cleaned
    assert b"correct horse" not in cleaned
    assert b"Replays" in cleaned
    assert json.loads(cleaned)["log"]["entries"][0]["request"]["url"] == "http://127.0.0.1/replays"


def test_tokens_leave_every_member_of_a_trace() -> None:
    """A token that is learnt from the requests is gone from the page's own files too."""
    line = json.dumps({"snapshot": HAR["log"]["entries"][0]}).encode()
    cleaned = trace(packed(trace_network=line, page_html=f"<p>{CARRIED}</p>".encode()))
    with zipfile.ZipFile(io.BytesIO(cleaned)) as file:
        bodies = {name: file.read(name) for name in file.namelist()}
    assert bodies["page.html"] == b"<p>REDACTED</p>"
    assert CARRIED.encode() not in bodies["trace.network"]
    assert json.loads(bodies["trace.network"])["snapshot"]["request"]["url"] == "http://127.0.0.1/replays"


def test_what_a_page_and_its_headers_carry_is_gone() -> None:
    """Headers that nobody knows, short names with values like a secret's, and what has a token's shape."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123456789"
    body = {"otp": "OTP99887766", "refresh": "REFRESHSECRET01", "key": "KEYSECRET04", "code": "CODESECRET05", "page": 2}
    request = {
        "url": "http://127.0.0.1/m.webm?sig=SIGSECRET08&page=2",
        "headers": [{"name": "X-Auth", "value": "XAUTHSECRET1"}, {"name": "X-Own", "value": "OWNSECRET12"}],
        "postData": {"mimeType": "application/json", "text": json.dumps(body)},
    }
    response = {"status": 200, "headers": [{"name": "X-CSRF", "value": "CSRFSECRET1"}, {"name": "Age", "value": "7"}]}
    line = json.dumps({"type": "resource-snapshot", "snapshot": {"request": request, "response": response}}).encode()
    page = f"<p>Bearer AAAABBBB1111 {jwt} KEYSECRET04</p><script>localStorage.setItem('session', 'LSSECRET11')</script>"
    with zipfile.ZipFile(io.BytesIO(trace(packed(trace_network=line, page_html=page.encode())))) as file:
        network, shown = (file.read(name).decode() for name in ("trace.network", "page.html"))
    assert "SECRET" not in network + shown
    assert not any(each in network + shown for each in ("OTP9", "AAAABBBB", "eyJ"))
    told = json.loads(network)["snapshot"]
    assert told["request"]["url"].endswith("page=2")
    assert json.loads(told["request"]["postData"]["text"])["page"] == 2
    assert told["response"] == {
        "status": 200,
        "headers": [{"name": "X-CSRF", "value": "REDACTED"}, {"name": "Age", "value": "7"}],
    }


def test_no_paths_of_a_machine_stay_in_a_trace() -> None:
    """Stacks, and what a function in the page was given at length, are left out of any driver's trace."""
    line = json.dumps(
        {"type": "before", "stack": [{"file": "/home/me/story.py"}], "params": {"arg": "x" * 500}}
    ).encode()
    with zipfile.ZipFile(io.BytesIO(trace(packed(trace_trace=line)))) as file:
        kept = {"type": "before", "params": {"arg": "(500 characters were left out)"}}
        assert json.loads(file.read("trace.trace")) == kept


def test_no_pictures_and_no_sound_stay_in_a_trace() -> None:
    """Screenshots and bodies of media are left out, as in the traces of the harness's own driver."""
    line = json.dumps({"snapshot": {"response": {"content": {"text": "UGljdHVyZQ==", "encoding": "base64"}}}}).encode()
    members = {"trace_network": line, "a_jpeg": b"\xff\xd8", "b_mp4": b"ftyp", "c_dat": b"sound", "d_css": b"p {}"}
    with zipfile.ZipFile(io.BytesIO(trace(packed(**members)))) as file:
        assert set(file.namelist()) == {"trace.network", "d.css"}
        assert b"UGljdHVyZQ==" not in file.read("trace.network")


def test_no_pictures_and_no_sound_stay_in_a_har() -> None:
    """A body in base64 is left out, and the answer stays."""
    content = {"mimeType": "video/webm", "encoding": "base64", "text": "UGljdHVyZQ=="}
    cleaned = json.loads(har(json.dumps({"log": {"entries": [{"response": {"content": content}}]}}).encode()))
    kept = {"mimeType": "video/webm", "encoding": "base64"}
    assert cleaned == {"log": {"entries": [{"response": {"content": kept}}]}}


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {CARRIED}",
        f"> curl -H 'X-Api-Key: {CARRIED}' http://127.0.0.1/",
        f"GET /replays?page=2&access_token={CARRIED}&x=1 HTTP/1.1",
        f'  "password": "{CARRIED}",',
        f"sent Bearer {CARRIED} to it",
        f"Cookie: theme=dark; sid={CARRIED}",
        f"http://me:{CARRIED}@127.0.0.1/",
    ],
)
def test_tokens_leave_a_text(line: str) -> None:
    """A token is known by the name before it, and is then gone from every line; other lines stay."""
    echo = f"echoed {CARRIED}\n" if "@" not in line else ""
    cleaned = plain(f"{echo}page 2 of 3: the call began\n{line}\n")
    assert CARRIED not in cleaned
    assert "page 2 of 3: the call began\n" in cleaned
    assert cleaned.count("\n") == 2 + bool(echo)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_no_damage_of_an_archive_ends_the_report(method: int) -> None:
    """Whatever byte of a trace is another, it is cleaned or refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("trace.network", b'{"a": 1}\n' * 9)
    refused = 0
    for place in range(len(buffer.getvalue())):
        data = bytearray(buffer.getvalue())
        data[place] ^= 0xFF
        try:
            trace(bytes(data))
        except NotRedactableError:
            refused += 1
    assert refused


def test_what_is_nested_too_deeply_is_not_shown() -> None:
    """JSON that no reader takes is refused, or left out of a trace."""
    deep = b"[" * 200_000
    with pytest.raises(NotRedactableError):
        har(deep)
    with zipfile.ZipFile(io.BytesIO(trace(packed(trace_network=deep)))) as file:
        assert file.read("trace.network") == b""


def test_a_line_that_cannot_be_read_is_left_out() -> None:
    """What is not known to be free of secrets is not shown."""
    cleaned = trace(packed(trace_network=b'{"token": "' + CARRIED.encode()))
    with zipfile.ZipFile(io.BytesIO(cleaned)) as file:
        assert file.read("trace.network") == b""


@pytest.mark.parametrize("data", [b"", b"no ZIP file", packed(trace_network=b"{}")[:40]])
def test_what_is_no_trace_is_not_shown(data: bytes) -> None:
    """A file that is not what its name says is refused."""
    with pytest.raises(NotRedactableError):
        trace(data)


def test_a_trace_that_unpacks_to_too_much_is_not_shown() -> None:
    """A small file that would fill the memory is refused before it is unpacked."""
    bomb = packed(trace_network=b"x" * 1000)
    with pytest.raises(NotRedactableError, match="too much"):
        trace(bomb, 999)


def test_no_browser_is_needed() -> None:
    """A report masks without Playwright."""
    look = "import sys, harness.cli.report; sys.exit(any(name.startswith('playwright') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], check=False, timeout=60).returncode == 0


def test_what_is_no_har_is_not_shown() -> None:
    """A HAR that is no JSON is refused."""
    with pytest.raises(NotRedactableError):
        har(b"<html>")


def test_an_address_loses_its_password() -> None:
    """User and password of an address are not shown, the address is."""
    said = plain("harness run --target https://me:hunter2@staging.example/x --seed 1")
    assert said == "harness run --target https://REDACTED@staging.example/x --seed 1"
