"""What is kept of a page, and what must never stand in it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import av
import pytest

from harness.drivers.browser import Session, evidence
from harness.redact import REDACTED, Secrets
from tests.chromium import needs_chromium

from .browsers import Hands, live
from .pages import COOKIE, TOKEN

PASSWORD = 'tea & "scones" 77'  # noqa: S105 - of an account that exists for one test
SPOKEN = "a-word-that-was-told-9"
SECRETS = (PASSWORD, json.dumps(PASSWORD)[1:-1], TOKEN, COOKIE, SPOKEN, base64.b64encode(TOKEN.encode()).decode())
RED = """() => {
  document.body.insertAdjacentHTML("beforeend", "<canvas width=300 height=300></canvas>");
  const pen = document.querySelector("canvas").getContext("2d");
  pen.fillStyle = "#ff0000";
  pen.fillRect(0, 0, 300, 300);
}"""


def everything(directory: Path) -> dict[str, bytes]:
    """Return each file of a directory by name, and in place of an archive what is in it."""
    found = {}
    for path in directory.iterdir():
        if path.suffix != ".zip":
            found[path.name] = path.read_bytes()
            continue
        with zipfile.ZipFile(path) as archive:
            found |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    return found


def leaks(directory: Path) -> set[str]:
    """Return the secrets that stand anywhere in a directory's files."""
    files = everything(directory)
    return {secret for secret in SECRETS if any(secret.encode() in data for data in files.values())}


async def signed_in(hands: Hands) -> Session:
    """Return a session that has signed in, was told a secret, and has recorded a video."""
    session = await hands.visitor(live=live(1))
    session.hide(SPOKEN)
    await session.page.locator("#username").fill("alice")
    await session.page.locator("#password").fill(PASSWORD)
    await session.page.evaluate("() => signIn()")
    await session.page.evaluate("(word) => console.log(word)", SPOKEN)
    await session.page.evaluate("() => take({ audio: true, video: true })")
    await session.page.evaluate("() => record('video')")
    await session.until_sent(sound_s=0.3, frames=2)
    await session.answer("POST", "/clips/alice", lambda: session.page.evaluate("() => finish('alice')"))
    assert len(await session.fetch("POST", "/media", hands.site.sent["/clips/alice"])) > 1000
    return session


@needs_chromium
@pytest.mark.parametrize("redacted", [True, False], ids=["redacted", "as recorded"])
def test_secrets(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redacted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """No password, token or cookie stands in what is kept, in any encoding, though the browser recorded all of them."""
    if not redacted:
        monkeypatch.setattr(Secrets, "scrub", lambda _, node: node)
        monkeypatch.setattr(Secrets, "mask_bytes", lambda _, data: data)

    async def story() -> None:
        session = await signed_in(hands)
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    assert {path.name for path in tmp_path.iterdir()} == {"alice.png", "alice.trace.zip", "alice.har"}
    if redacted:
        assert leaks(tmp_path) == set()
    else:
        assert leaks(tmp_path) >= {TOKEN, COOKIE, SPOKEN, json.dumps(PASSWORD)[1:-1]}


@needs_chromium
def test_kept(hands: Hands, tmp_path: Path) -> None:
    """The requests are an HTTP Archive, Playwright opens the trace, neither holds media or a path of this machine."""

    async def story() -> None:
        session = await signed_in(hands)
        await session.keep_evidence(tmp_path)
        await session.keep_evidence(tmp_path / "twice")
        await session.close()

    hands.run(story())
    log: dict[str, Any] = json.loads((tmp_path / "alice.har").read_text())["log"]
    asked = [
        (each["request"]["method"], each["request"]["url"].removeprefix(hands.site.url)) for each in log["entries"]
    ]
    assert asked[0] == ("GET", "/")
    assert {("POST", "/sign-in"), ("GET", f"/me?access_token={REDACTED}"), ("POST", "/media")} <= set(asked)
    files = everything(tmp_path)
    lines = [json.loads(line) for line in files["alice.trace.zip/trace.trace"].splitlines()]
    assert {"context-options", "before", "after", "frame-snapshot"} <= {line["type"] for line in lines}
    command = [sys.executable, "-m", "playwright", "trace", "open", str(tmp_path / "alice.trace.zip")]
    opened = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "Network:" in opened.stdout, opened.stderr
    clip = hands.site.sent["/clips/alice"]
    coded = base64.b64encode(clip)[40:200]
    for name, data in files.items():
        assert clip[30:200] not in data, name
        assert coded not in data, name
        assert str(Path(evidence.__file__).parent).encode() not in data, name


@needs_chromium
def test_faces(hands: Hands, tmp_path: Path) -> None:
    """Pictures are covered in the screenshot, and the page's text is not."""

    async def story() -> None:
        session = await hands.visitor()
        await session.page.evaluate(RED)
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    picture = (tmp_path / "alice.png").read_bytes()
    with av.open(io.BytesIO(picture), "r") as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3)
    assert not ((pixels[:, 0] > 240) & (pixels[:, 1] < 20)).any()
    covered = tuple(bytes.fromhex(evidence.COVER[1:]))
    assert (pixels == covered).all(axis=1).sum() >= 300 * 300
    assert (pixels.max(axis=1) < 60).any()


@needs_chromium
def test_dead_page(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page that has hung, what can be had is kept, within a limit, and nothing is raised."""
    monkeypatch.setattr(evidence, "PICTURE_S", 0.5)

    async def story() -> None:
        session = await hands.visitor()
        await session.page.evaluate("() => void setTimeout(() => { for (;;); }, 50)")
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    assert (tmp_path / "alice.har").exists()
