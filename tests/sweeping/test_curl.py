"""A request as a curl command: a shell takes it, and whoever reads it is let in nowhere."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from harness.sweeping.asking.curl import LEFT_OUT, as_curl
from harness.sweeping.asking.tour import Tour
from harness.sweeping.judging.facts import LINK, Facts, Thing

from .api import DOCUMENT, OK, in_path
from .test_tour import tour
from .world import ALICE, facts

SECRET = "top-s3cret-token"  # noqa: S105 - it is looked for in what is written
LINKED = "MTc5OTk5IHJlYy05ZjhlN2Q.c2lnbmF0dXJl"
HERE = "http://127.0.0.1:1/x"


def prepared(url: str, body: Mapping[str, str] | None = None, method: str = "GET") -> requests.PreparedRequest:
    """Return a request with a credential."""
    headers = {
        "Authorization": f"Bearer {SECRET}",
        "Cookie": f"session={SECRET}",
        "X-Api-Key": SECRET,
        "X-Other": "it's",
    }
    return requests.Request(method, url, headers=headers, json=body).prepare()


def test_half_a_character_is_written_down() -> None:
    """A body and a link with half a pair of surrogates are a command all the same, and JSON in it the same JSON."""
    known = facts()
    known.add(Thing("\ud83d-0a1b2c", LINK, ALICE))
    command = as_curl(prepared(HERE, {"note": "\ud83d"}, "POST"), "bob", known)
    assert command == command.encode("ascii", "replace").decode()
    assert json.loads(shlex.split(command.replace("$TOKEN", "TOKEN"))[-1]) == {"note": "\ud83d"}


def test_no_credential_is_written_down() -> None:
    """Tokens, cookies, keys, passwords and links become variables, which a shell puts in."""
    known = facts()
    known.add(Thing(LINKED, LINK, ALICE))
    url = f"http://127.0.0.1:1/links/{LINKED}?q=a%20b"
    body = {"password": SECRET, "jwt": SECRET, "note": "$HOME `id`", "opened": f"/links/{LINKED}"}
    command = as_curl(prepared(url, body, "POST"), "bob", known, {"x-own"})
    assert SECRET not in command
    assert LINKED not in command
    assert '"Authorization: Bearer $TOKEN_OF_BOB"' in command
    assert "/links/$LINK_OF_ALICE?q=a%20b" in command


def test_a_shell_takes_it() -> None:
    """The command is one that a shell splits as it is meant, its variables put in and nothing else run."""
    request = prepared("http://127.0.0.1:1/visits/v-1", {"password": SECRET, "note": '$HOME `id` "x" \\ it\'s'}, "POST")
    command = as_curl(request, "bob", facts()).replace("curl ", "printf '%s\\n' ", 1)
    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        env={"TOKEN_OF_BOB": "put-in", "SECRET": "x"},
    )
    words = ended.stdout.splitlines()
    assert words[:4] == ["--include", "--request", "POST", "http://127.0.0.1:1/visits/v-1"]
    assert "Authorization: Bearer put-in" in words
    assert "X-Other: it's" in words
    assert json.loads(words[-1]) == {"password": "x", "note": '$HOME `id` "x" \\ it\'s'}


def test_a_plain_request_is_quoted() -> None:
    """A request without credentials reads as it is."""
    request = requests.Request("GET", "http://127.0.0.1:1/a?b=c&d=e").prepare()
    assert shlex.split(as_curl(request, "bob", facts())) == ["curl", "--include", "http://127.0.0.1:1/a?b=c&d=e"]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "url": HERE, "data": {"username": "bob", "password": SECRET}},
        {
            "method": "GET",
            "url": f"{HERE}?access_token={SECRET}&sig={SECRET}&X-Amz-Signature={SECRET}",
        },
        {"method": "GET", "url": HERE.replace("127", f"admin:{SECRET}@127")},
        {
            "method": "POST",
            "url": HERE,
            "json": dict.fromkeys(
                ("passphrase", "jwt", "pin", "credential", "authorization", "cookie", "userPin", "auth", "otp"), SECRET
            ),
        },
        {
            "method": "POST",
            "url": HERE,
            "data": f"<password>{SECRET}</password>",
            "headers": {"Content-Type": "text/xml"},
        },
        {"method": "POST", "url": HERE, "data": f'{{"password": "{SECRET}", }}'},
        {"method": "POST", "url": HERE, "files": {"file": SECRET.encode()}},
        {"method": "GET", "url": HERE, "headers": {"X-Auth": SECRET, "X-Jwt": SECRET, "Set-Cookie2": SECRET}},
    ],
    ids=["form", "query", "userinfo", "JSON", "XML", "broken JSON", "multipart", "headers"],
)
def test_no_secret_is_written_down(request_: dict[str, Any]) -> None:
    """What stands under the name of a secret is a variable, in whatever part; what nobody can parse is left out."""
    assert SECRET not in as_curl(requests.Request(**request_).prepare(), "bob", Facts())


def test_what_is_no_secret_is_written() -> None:
    """A form is sent on with all else in it, and a body that is left out is said to be."""
    form = requests.Request("POST", HERE, data={"author": "bob & co", "password": SECRET, "keyboard": "de"}).prepare()
    assert '--data-binary "author=bob%20%26%20co&password=$SECRET&keyboard=de"' in as_curl(form, "bob", Facts())
    xml = requests.Request("POST", HERE, data="<a/>", headers={"Content-Type": "text/xml"}).prepare()
    command = as_curl(xml, "bob", Facts())
    assert shlex.split(command, comments=True)[-2:] == LEFT_OUT.split()
    assert "neither JSON nor a form" in command


def test_no_secret_of_a_path_is_written_down() -> None:
    """A parameter of a path with a secret's name is a variable, also below a prefix; the others are written."""
    request = requests.Request("GET", f"http://127.0.0.1:1/api/v1/shared/{SECRET}/visits/v-1").prepare()
    command = as_curl(request, "bob", Facts(), template="/shared/{token}/visits/{visit}")
    assert shlex.split(command)[-1] == "http://127.0.0.1:1/api/v1/shared/$SECRET/visits/v-1"
    page = requests.Request("GET", f"http://127.0.0.1:1/shared/{SECRET}/visits/page/2").prepare()
    assert SECRET not in as_curl(page, "bob", Facts(), template="/shared/{token}/visits")


def test_a_tour_writes_no_secret_of_a_path_down() -> None:
    """The command of a finding that the tour made has none either."""
    document = {**DOCUMENT, "paths": {"/shared/{token}": {"parameters": [in_path("token")], "get": {"responses": OK}}}}

    def run(made: Tour) -> None:
        operation = made.document.operations[0]
        sent = requests.Request("GET", f"http://127.0.0.1:1/shared/{SECRET}").prepare()
        assert made._curl(sent, None, operation)().endswith('/shared/$SECRET"')

    tour(lambda *_: (200, {}), run, described=document)
