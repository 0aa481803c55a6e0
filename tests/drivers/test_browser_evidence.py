"""What is kept of a page, and what must never stand in it."""

from __future__ import annotations

import asyncio
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
from playwright.async_api import BrowserContext, CDPSession, Page

from harness.drivers.browser import Session, evidence, picture
from harness.redact import REDACTED, Secrets
from tests.chromium import needs_chromium

from .browsers import Hands, live
from .pages import COOKIE, TOKEN

PASSWORD = 'tea & "scones" 77'  # noqa: S105 - of an account that exists for one test
SPOKEN = "a-word-that-was-told-9"
SECRETS = (PASSWORD, json.dumps(PASSWORD)[1:-1], TOKEN, COOKIE, SPOKEN, base64.b64encode(TOKEN.encode()).decode())
HANG = "() => void setTimeout(() => { for (;;); }, 200)"
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


def pixels(picture: bytes) -> Any:
    """Return the pixels of a PNG file, a row each."""
    with av.open(io.BytesIO(picture), "r") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3)


def red(picture: bytes) -> int:
    """Return how many pixels of a PNG file are of the colour that stands for a person."""
    found = pixels(picture)
    return int(((found[:, 0] > 200) & (found[:, 1] < 60) & (found[:, 2] < 60)).sum())


@needs_chromium
def test_faces(hands: Hands, tmp_path: Path) -> None:
    """Pictures are covered in the screenshot, and the page's text is not."""

    async def story() -> None:
        session = await hands.visitor()
        await session.page.evaluate(RED)
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    kept = (tmp_path / "alice.png").read_bytes()
    assert not red(kept)
    covered = tuple(bytes.fromhex(picture.COVER[1:]))
    assert (pixels(kept) == covered).all(axis=1).sum() >= 300 * 300
    assert (pixels(kept).max(axis=1) < 60).any()


FIXED = """<style>html { scroll-behavior: smooth } body { margin: 0 }</style><div style="height: 3000px"></div>
<p style="position: fixed; top: 0; left: 0; margin: 0; width: 40px; height: 40px; background: #008000"></p>
<div id=late></div><script>addEventListener("scroll", () => { if (scrollY < 9) late.innerHTML = "<img src=DATA>"; })
</script>"""


@needs_chromium
def test_a_page_that_was_scrolled_is_pictured_from_its_top(hands: Hands, tmp_path: Path) -> None:
    """What is fixed to the window stands where the page begins, and what comes as it is scrolled is covered too."""

    async def story() -> int:
        session = await hands.visitor()
        await session.page.goto("about:blank")
        await session.page.set_content(FIXED.replace("DATA", f"data:image/png;base64,{DOT}"))
        await session.page.evaluate("() => scrollTo({ top: 1500, behavior: 'instant' })")
        await session.page.wait_for_function("() => scrollY == 1500")
        await session.keep_evidence(tmp_path)
        came = await session.page.locator("#late img").count()
        await session.close()
        return came

    came = hands.run(story())
    kept = (tmp_path / "alice.png").read_bytes()
    with av.open(io.BytesIO(kept), "r") as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert len(picture) >= 3000
    assert tuple(picture[20, 20]) == (0, 128, 0)
    assert came == 1
    assert not red(kept)


BOX = "display: block; width: 80px; height: 80px;"
SHOWN = {
    "background": f"<style>#x {{ {BOX} background-image: URL }}</style><div id=x></div>",
    "a background that is important": f"<style>#x#x#x {{ {BOX} background: URL !important }}</style><div id=x></div>",
    "a layer": f"<style>@layer a {{ #x {{ {BOX} background: URL !important }} }}</style><div id=x></div>",
    "the page's background": "<style>html { background: URL }</style>",
    "image-set": f"<style>#x {{ {BOX} background: image-set(URL 1x) }}</style><div id=x></div>",
    "border": f"<style>#x {{ {BOX} border: 20px solid; border-image: URL 1 }}</style><div id=x></div>",
    "bullet": "<style>li { margin: 90px; list-style-image: URL }</style><ul><li>one</ul>",
    "content": f"<style>#x {{ {BOX} content: URL }}</style><div id=x></div>",
    "before": f"<style>#x::before {{ {BOX} content: ''; background: URL }}</style><div id=x></div>",
    "generated": f"<style>#x::after {{ {BOX} content: URL }}</style><div id=x></div>",
    "a layer's generated": "<style>@layer a { #x::after { content: URL !important } }</style><div id=x></div>",
    "first letter": "<style>#x::first-letter { font-size: 80px; background: URL }</style><p id=x>One</p>",
    "svg": "<svg width=80 height=80><image href=DATA width=80 height=80 /></svg>",
    "pattern": "<svg width=80 height=80><pattern id=p width=1 height=1><image href=DATA width=80 height=80 /></pattern>"
    "<rect fill=url(#p) width=80 height=80 /></svg>",
    "filter": "<svg width=80 height=80><filter id=f><feImage href=DATA /></filter>"
    "<rect filter=url(#f) width=80 height=80 /></svg>",
    "input": "<input type=image src=DATA width=80 height=80>",
    "picture": "<picture><source srcset=DATA><img width=80 height=80></picture>",
    "object": "<object data=DATA width=80 height=80></object>",
    "embed": "<embed src=DATA width=80 height=80>",
    "table": "<table background=DATA><td width=80 height=80></table>",
    "dialog": "<style>#x::backdrop { background: URL }</style><dialog id=x>One</dialog>"
    "<script nonce=n>x.showModal()</script>",
    "open root": "<div id=x></div><script nonce=n>x.attachShadow({mode: 'open'}).innerHTML = `<img src=DATA width=80>"
    "<svg width=80 height=80><image href=DATA width=80 height=80 /></svg>`</script>",
    "closed root": "<div id=x></div><script nonce=n>x.attachShadow({mode: 'closed'}).innerHTML ="
    f" `<img src=DATA width=80><style nonce=n>p {{ {BOX} background: URL }}</style><p>`</script>",
}
"""Ways in which a page shows a picture; URL and DATA stand for one that is red."""
POLICY = "default-src 'none'; img-src data:; object-src data:; style-src 'nonce-n'; script-src 'nonce-n'"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"


@needs_chromium
@pytest.mark.parametrize("way", SHOWN)
def test_every_way_to_show_a_face(hands: Hands, tmp_path: Path, way: str) -> None:
    """Whatever shows a picture is covered or left out, though the page's policy allows no style but its own."""
    address = f"data:image/png;base64,{DOT}"
    shown = SHOWN[way].replace("<style>", "<style nonce=n>").replace("URL", f"url({address})").replace("DATA", address)
    page = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><h1>Hello</h1>{shown}'

    async def story() -> bytes:
        session = await hands.visitor()
        await session.page.goto("about:blank")
        await session.page.set_content(page)
        seen = await session.page.screenshot()
        await session.keep_evidence(tmp_path)
        await session.close()
        return seen

    seen = hands.run(story())
    assert red(seen) >= 64, "it does not show in this browser"
    kept = (tmp_path / "alice.png").read_bytes()
    assert red(kept) == 0
    assert (pixels(kept).max(axis=1) < 60).any(), "the heading is gone"


def test_order(tmp_path: Path) -> None:
    """The requests stand in the order in which they started, though Playwright writes them as they end."""
    asked = {"/page.js": ("00.002Z", 7.25), "/": ("00.001Z", 6.0), "/two": ("00.002Z", 7.5), "/one": ("00.002Z", 7.0)}
    events = [
        {
            "type": "resource-snapshot",
            "snapshot": {
                "startedDateTime": f"2026-11-28T10:00:{at}",
                "_monotonicTime": passed,
                "request": {"url": url},
                "response": {"content": {}},
            },
        }
        for url, (at, passed) in asked.items()
    ]
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        archive.writestr("trace.network", "\n".join(json.dumps(event) for event in events))
    evidence.rewrite(tmp_path / "raw.zip", tmp_path, "alice", Secrets())
    entries = json.loads((tmp_path / "alice.har").read_text())["log"]["entries"]
    assert [entry["request"]["url"] for entry in entries] == ["/", "/one", "/page.js", "/two"]


def test_a_secret_that_is_a_word_of_the_trace(tmp_path: Path) -> None:
    """Somebody's password may be `response`: it is hidden, and what is then no archive any more is not kept."""
    event = {"type": "resource-snapshot", "snapshot": {"request": {}, "response": {"content": {}}}}
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        archive.writestr("trace.network", json.dumps(event))
    (tmp_path / "kept").mkdir()
    secrets = Secrets()
    secrets.add("response")
    evidence.rewrite(tmp_path / "raw.zip", tmp_path / "kept", "alice", secrets)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["alice.trace.zip"]


@needs_chromium
def test_dead_page(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page that has hung, what can be had is kept, within a limit, and nothing is raised."""
    monkeypatch.setattr(evidence, "PICTURE_S", 0.5)

    async def story() -> None:
        session = await hands.visitor()
        await session.page.evaluate(HANG)
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    assert (tmp_path / "alice.har").exists()


@needs_chromium
def test_a_page_that_hangs_while_it_is_covered(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that hangs once the debugger is on it keeps nobody waiting: it does not answer the debugger's farewell."""
    monkeypatch.setattr(evidence, "PICTURE_S", 4.0)
    attach, attached = BrowserContext.new_cdp_session, []

    async def to_one_that_hangs(context: BrowserContext, page: Page) -> CDPSession:
        debugger = await attach(context, page)
        await page.evaluate(HANG)
        await asyncio.sleep(1)
        attached.append(debugger)
        return debugger

    monkeypatch.setattr(BrowserContext, "new_cdp_session", to_one_that_hangs)

    async def story() -> None:
        session = await hands.visitor()
        await session.keep_evidence(tmp_path)
        await session.close()

    hands.run(story())
    assert attached
    assert {path.name for path in tmp_path.iterdir()} == {"alice.trace.zip", "alice.har"}
