"""`harness serve`: what people get, and a clinic in which they can sign in at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import Catalogue
from harness.planning.catalogue import load
from harness.planning.held import for_people
from harness.serving import PASSWORD, PEOPLE

FLAGS = Path(__file__).parent.parent / "flags" / "clinic.toml"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Return the shipped catalogue."""
    return load(FLAGS)


def test_people_get_every_release(catalogue: Catalogue) -> None:
    """Each release flag is on, children too; operational flags and experiments keep their baseline."""
    values = for_people(catalogue, ()).baseline
    released = [flag.name for flag in catalogue.flags if flag.kind == "release"]
    assert "video-downgrade" in released
    assert all(values[flag] == "on" for flag in released)
    others = [flag for flag in catalogue.flags if flag.kind != "release"]
    assert all(values[flag.name] == flag.baseline for flag in others)


def test_what_is_chosen_comes_first(catalogue: Catalogue) -> None:
    """A chosen variant stands, and what depends on a flag that was chosen off stays off."""
    values = for_people(catalogue, ["video-upgrade=off", "composite-layout=side-by-side"]).baseline
    assert (values["video-upgrade"], values["video-downgrade"]) == ("off", "off")
    assert values["composite-layout"] == "side-by-side"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (["video-upgrad=on"], "did you mean 'video-upgrade'"),
        (["replay-paging=smal"], "did you mean 'small'"),
        (["replay-paging"], "has the variants off, small, large"),
        (["replay-cache=on", "edge-cache=on"], "Two caches over one list"),
        (["video-upgrade=off", "video-downgrade=on"], "video-downgrade needs video-upgrade"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(catalogue: Catalogue, chosen: list[str], said: str) -> None:
    """An unknown flag or variant names the nearest, a broken constraint its reason."""
    with pytest.raises(UsageError, match=re.escape(said)):
        for_people(catalogue, chosen)


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Yield the process of a `harness serve`, its clinic's address, and all that it printed."""
    command = [str(Path(sys.executable).with_name("harness")), "serve", "--port", "0", "--flag-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=FLAGS.parent.parent)
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("Ctrl-C"):
            break
    address = re.search(r"http://127\.0\.0\.1:\d+", printed)
    yield process, address[0] if address else "", printed
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def _asked(url: str, body: object = None, token: str = "") -> dict[str, str]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own server
        found: dict[str, str] = json.load(answer)
        return found


def test_everybody_who_is_named_can_sign_in(served: tuple[subprocess.Popen[str], str, str]) -> None:
    """Each account that is printed signs in with the password that is printed, and may switch; Ctrl-C ends it."""
    process, url, printed = served
    assert PASSWORD in printed
    for name in [*(person["username"] for person in PEOPLE), "operator"]:
        assert name in printed
        token = _asked(f"{url}/sign-in", {"username": name, "password": PASSWORD})["token"]
        assert _asked(f"{url}/me/features", token=token)["video-upgrade"] == "on"
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
