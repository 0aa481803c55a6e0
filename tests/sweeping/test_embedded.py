"""Files within texts, and texts in whatever encoding: what a browser would show is looked at."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from harness.canary import pack
from harness.sweeping.judging.embedded import files_in
from harness.sweeping.judging.kinds import text_of
from harness.sweeping.judging.seeing import Answer, Eye

from .world import HIS, HIS_CANARY, HIS_RECORDING, leaks, media

FILE = media(HIS_CANARY, "audio")
CODED = base64.b64encode(FILE).decode()
WRAPPED = "\n".join(CODED[at : at + 76] for at in range(0, len(CODED), 76))
URL_SAFE = base64.urlsafe_b64encode(FILE).decode().rstrip("=")
ESCAPED = CODED.replace("/", "\\/")
PERCENT = CODED.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"m": f"data:video/webm;codecs=vp8,opus;base64,{CODED}"}), "application/json"),
        (json.dumps({"m": f'data:video/webm;codecs="vp8, opus";base64,{CODED}'}), "application/json"),
        (json.dumps({"m": f" DATA:audio/webm; base64,{WRAPPED}"}), "application/json"),
        (json.dumps({"m": f"data:audio/webm;base64,{URL_SAFE}"}), "application/json"),
        (f"<audio src='data:audio/webm;base64,{CODED}'></audio>", "text/html"),
        (f"url(data:audio/webm;base64,{PERCENT})", "text/css"),
        (f'{{"m":"data:audio/webm;base64,{ESCAPED}"}}\n{{}}\n', "application/x-ndjson"),
        (f'called({{"m":"data:audio/webm;base64,{CODED}"}})', "application/javascript"),
        ("\ufeff" + json.dumps({"m": f"data:audio/webm;base64,{CODED}"}), "application/json"),
        (json.dumps({"m": CODED}), "application/json"),
        (json.dumps({"m": WRAPPED}), "application/json"),
        (f"file: {CODED}\n", "text/plain"),
    ],
    ids=[
        "codecs",
        "quoted codecs",
        "wrapped",
        "url-safe",
        "HTML",
        "percent",
        "NDJSON",
        "JSONP",
        "mark",
        "bare",
        "bare, wrapped",
        "bare in text",
    ],
)
def test_media_within_a_text(body: str, content_type: str) -> None:
    """Bob's sound is proved wherever it stands in base64, with or without `data:` before it."""
    answer = Answer(200, headers={"Content-Type": content_type}, body=body.encode())
    assert {(leak.degree, leak.value) for leak in leaks(answer)} == {("proved", f"{pack(HIS_CANARY):020d}")}


def test_an_address_that_a_script_puts_together_is_no_doubt() -> None:
    """Where nothing stands in base64 nothing is shown."""
    script = b"""show("data:" + kind + ";base64," + said); show(`data:image/png;base64,${said}`)"""
    assert Eye().look(Answer(200, headers={"Content-Type": "text/html"}, body=script)).unread == []


@pytest.mark.parametrize("payload", ["@@@@", "AAAAA", f"{CODED[:200]}~~~"])
def test_a_data_address_that_is_no_base64_is_told(payload: str) -> None:
    """What a browser might still show and cannot be decoded here is a doubt."""
    body = json.dumps({"m": f"data:audio/webm;base64,{payload}"}).encode()
    assert "in no base64" in " ".join(Eye().look(Answer(200, body=body)).unread)


def test_a_token_is_no_file() -> None:
    """Base64 that is short, or begins as nothing known, is a token."""
    signed = base64.b64encode(b"\xff\xfb" + bytes(range(256)) * 2).decode()
    assert list(files_in(f"{signed} {CODED[:100]}")) == []


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (f"Müller;{HIS};x".encode("latin-1"), "application/csv"),
        (f"Müller;{HIS};x".encode("latin-1"), "application/octet-stream"),
        (f"Müller;{HIS};x".encode("latin-1"), "text/csv; charset=no-such"),
        (f'{{"Müller": "{HIS}"}}'.encode("latin-1"), "application/json; charset=iso-8859-1"),
        (f'{{"id": "{HIS}"}}'.encode("utf-16"), "application/json"),
        (f'{{"id": "{HIS}"}}'.encode("utf-16-be"), "application/json"),
        (f'{{"id": "{HIS}"}}'.encode("utf-32"), "text/plain"),
        (f'{{"id": "{HIS}"}}'.encode("cp037"), 'text/plain; charset="cp037"'),
        (b"%PDF-1.7\x00\xff\xfe" + HIS.encode() + b"\x00\x81", "application/pdf"),
    ],
)
def test_a_text_in_any_encoding(data: bytes, content_type: str) -> None:
    """An identifier is found in Latin-1, UTF-16 and what the answer names, and in what is no text at all."""
    answer = Answer(200, headers={"Content-Type": content_type}, body=data)
    assert [leak.value for leak in leaks(answer)] == [HIS]


def test_latin_1_within_an_archive() -> None:
    """A list in an export is read whatever it is written in, and what stands before a ZIP hides nothing."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("list.csv", f"Müller;{HIS_RECORDING}".encode("latin-1"))
    for before in (b"", b"#!/bin/sh\n"):
        answer = Answer(200, body=before + output.getvalue())
        assert [leak.value for leak in leaks(answer)] == [HIS_RECORDING]


def test_parts_are_told() -> None:
    """Several bodies in one are not taken apart: that is a doubt."""
    answer = Answer(200, headers={"Content-Type": "multipart/mixed; boundary=x"}, body=b"--x\r\n\r\n--x--")
    assert Eye().look(answer).unread == ["body: the parts of multipart/mixed"]


def test_a_mark_is_not_part_of_a_text() -> None:
    """The mark of byte order does not stand in the way of JSON."""
    assert text_of(b"\xef\xbb\xbf{}") == "{}"
