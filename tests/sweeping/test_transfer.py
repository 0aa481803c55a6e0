"""What came over a connection is decoded, or known not to be: nothing of it is passed over in silence."""

from __future__ import annotations

import gzip
import zlib

import pytest

from harness.sweeping.asking.caller import Caller
from harness.sweeping.judging.seeing import Eye
from harness.sweeping.wire.transfer import decoded, origin

from .api import served
from .test_caller import call

SAID = b'{"id": "visit-0a1b2c"}' * 20


def bare(data: bytes) -> bytes:
    """Return deflate without the header that it should have."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", gzip.compress(SAID)),
        ("X-GZip", gzip.compress(SAID)),
        ("gzip", gzip.compress(SAID[:50]) + gzip.compress(SAID[50:])),
        ("deflate", zlib.compress(SAID)),
        ("deflate", bare(SAID)),
        ("deflate, gzip", gzip.compress(zlib.compress(SAID))),
        ("identity", SAID),
    ],
    ids=["gzip", "x-gzip", "two members", "deflate", "bare deflate", "both", "identity"],
)
def test_what_is_decoded(encoding: str, raw: bytes) -> None:
    """An encoding that is known is undone, also one over another."""
    body = decoded(raw, {"content-encoding": encoding})
    assert (body.data, body.undecoded) == (SAID, "")


@pytest.mark.parametrize(
    ("header", "value", "raw", "expected"),
    [
        ("Content-Encoding", "br", b"\x8b\x05\x80", "br cannot be decoded"),
        ("Content-Encoding", "zstd", b"\x28\xb5\x2f\xfd", "zstd cannot be decoded"),
        ("Content-Encoding", "gzip, home-made", b"???", "home-made cannot be decoded"),
        ("Content-Encoding", "deflate", b"x" * 20, "deflate: it is broken"),
        ("Content-Encoding", "deflate", zlib.compress(SAID)[:-6], "deflate: it breaks off"),
        ("Content-Encoding", "gzip", gzip.compress(SAID)[:-9], "gzip: it breaks off"),
        ("Content-Encoding", "deflate", zlib.compress(SAID) + b"more", "deflate: something follows it"),
        ("Transfer-Encoding", "gzip", gzip.compress(SAID), "Transfer-Encoding gzip cannot be undone"),
    ],
)
def test_what_is_not_decoded_is_told(header: str, value: str, raw: bytes, expected: str) -> None:
    """An answer whose encoding is unknown, broken or cut off was not seen, and is a doubt."""

    def answer(*_: str) -> tuple[int, bytes, dict[str, str]]:
        return 200, raw, {header: value}

    with served(answer) as address:
        caller = Caller(address, {})
        _, got, _ = caller.send(call(), None)
        caller.close()
    (said,) = Eye().look(got).unread
    assert expected in said


def test_only_what_can_be_decoded_is_asked_for() -> None:
    """A request says which encodings it takes, and nothing else."""
    with served(lambda *_: (200, {})) as address:
        caller = Caller(address, {})
        _, _, sent = caller.send(call(), None)
        caller.close()
    assert sent.headers["Accept-Encoding"] == "gzip, deflate"


def test_what_is_no_longer_worth_unpacking() -> None:
    """A small body that unpacks to a large one is cut short, and an empty one is whole."""
    assert decoded(gzip.compress(b"a" * 9000), {"Content-Encoding": "gzip"}, max_bytes=500).is_cut
    assert decoded(b"", {"Content-Encoding": "br"}).undecoded == ""


def test_origins() -> None:
    """Scheme, host and port make an origin; whoever is named before the host does not."""
    assert origin("HTTP://a.invalid/x") == origin("http://me:pw@A.invalid:80")
    assert origin("http://a.invalid") != origin("https://a.invalid")
