"""The pages for people: how they are served, and what they promise to whoever drives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clinic.systems import pages
from harness.process import Service

from .people import Answer, Api

FILES = sorted(each.name for each in pages.FOLDER.iterdir())
SCRIPTS = [name for name in FILES if name.endswith(".js")]
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}
OUTSIDE = re.compile(r"(?:https?:|wss?:|[\"'(=]\s*)//[a-z]", re.IGNORECASE)
# What a browser's driver holds on to: a part of the pages' interface, as the paths are of the API's.
HOOKS = {
    *("sign-in", "sign-out", "tab-sign-in", "tab-open-account", "open-account", "who", "badge", "error", "toast"),
    *("book", "upcoming", "consultation", "open-call", "cancel", "move", "reschedule", "call", "call-status"),
    *(
        "call-trouble",
        "way",
        "join",
        "mute",
        "switch-video",
        "switch-audio",
        "send-now",
        "leave",
        "end",
        "hand-over",
        "caption",
    ),
    *("local", "remote", "ended", "recording", "to-replays", "replays", "replay", "open-replay", "replays-more"),
    *("replays-total", "search", "search-results", "export", "replay-page", "player", "thumbnail", "transcript"),
    *("download", "delete", "agree", "share-form", "share", "revoke", "inbox", "notice", "mark-read", "mailbox"),
    *("agenda", "slot", "prescribe", "prescription", "dispense", "metric", "metrics", "pharmacy-form", "problem"),
    *("replay-access", "access-log", "affected", "problems", "outbox"),
}
FIELDS = {"username", "password", "name", "clinician", "slot", "carer", "q", "medicine", "dose", "value", "pharmacy"}
FIELDS |= {"payer", "insurer", "member_number"}
COMPOSED = {"field-${name}", "${testid}-submit", "${testid}-more", "${name}-${value}", 'nav-${place || "home"}'}
DATA = {"data-replay-id", "data-consultation-id", "data-recording-id", "data-status", "data-medium", "data-username"}
DATA |= {"data-status", "data-code", "data-mark"}


@pytest.fixture(scope="module")
def api(options: list[str]) -> Iterator[Api]:
    """Return a connection of somebody who is not signed in, to a clinic whose title could be taken for markup."""
    titled = [*options, "--title", 'Tom & <b>Jerry"s', "--until-stdin-closes"]
    service = Service.start("clinic", "harness.clinic", titled)
    api = Api(service.url)
    yield api
    api.close()
    service.stop()


def text_of(name: str) -> str:
    """Return a file's text; none for a picture."""
    return "" if name.endswith(".png") else (pages.FOLDER / name).read_text(encoding="utf-8")


def is_guarded(answer: Answer) -> bool:
    """True when the answer has every header that keeps a page from being abused."""
    policy = answer.headers.get("content-security-policy", "")
    rules = dict(each.strip().partition(" ")[::2] for each in policy.split(";"))
    wanted = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "frame-ancestors": "'none'"}
    wanted |= {"base-uri": "'none'", "connect-src": "'self'"}
    return (
        wanted.items() <= rules.items()
        and "unsafe" not in policy
        and "*" not in policy
        and answer.headers.get("x-content-type-options") == "nosniff"
        and answer.headers.get("referrer-policy") == "no-referrer"
    )


def test_title(api: Api) -> None:
    """The page carries the title that the process was started with, and a title is no markup."""
    page = api.call("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"<title>Tom &amp; &lt;b&gt;Jerry&quot;s</title>" in page.body
    assert b"{title}" not in page.body
    assert b"<b>" not in page.body


def test_page(api: Api) -> None:
    """The page is asked for anew each time, says that nobody here is ill, and is guarded."""
    page = api.call("GET", "/")
    assert (page.status, page.headers["cache-control"]) == (200, "no-cache")
    assert b"nobody here is ill" in page.body
    assert is_guarded(page)


@pytest.mark.parametrize("name", [name for name in FILES if name != pages.INDEX])
def test_file(api: Api, name: str) -> None:
    """Each file comes whole, under its type, for everybody's cache, and guarded."""
    served = api.call("GET", f"/pages/{name}")
    assert served.status == 200
    assert served.body == (pages.FOLDER / name).read_bytes()
    assert served.headers["content-type"] == TYPES[Path(name).suffix]
    assert re.fullmatch(r"public, max-age=[1-9]\d*", served.headers["cache-control"])
    assert re.fullmatch(r'"[0-9a-f]{16}"', served.headers["etag"])
    assert is_guarded(served)


@pytest.mark.parametrize("path", ["/", "/pages/icon.png"])
def test_not_modified(api: Api, path: str) -> None:
    """Who has a file already is told so without its bytes; who has another version gets the new one."""
    etag = api.call("GET", path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}'):
        again = api.call("GET", path, headers={"If-None-Match": known})
        # The clinic's edge cache answers by itself, whatever the browser has.
        assert (again.status, again.body) == (304, b"") or (path != "/" and again.status == 200), known
    assert api.call("GET", path, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "../pages.py",
        "..%2Fpages.py",
        "%2e%2e/pages.py",
        "%2e%2e%2fpages.py",
        "..%5cpages.py",
        "..",
        ".",
        "",
        "%00",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "nothing.js",
        "app.js/",
        "APP.JS",
        "index.html",
        "app.js%00.png",
    ],
)
def test_nothing_else(api: Api, name: str) -> None:
    """No other name leads to a file, whichever way it is written."""
    assert api.call("GET", f"/pages/{name}").refusal == (404, "not-found")


@pytest.mark.parametrize("name", FILES)
def test_nothing_from_elsewhere(name: str) -> None:
    """No file names an address outside the clinic, so that nothing can be loaded from one."""
    assert not OUTSIDE.search(text_of(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_data_is_text(name: str) -> None:
    """No script makes markup or code of text."""
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert word not in text_of(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_imports_resolve(name: str) -> None:
    """Each script imports only what another file of the pages exports."""
    text = text_of(name)
    named = re.findall(r'import \{([^}]*)\} from "\./([^"]+)"', text)
    whole = re.findall(r'import(?:\(| \* as \w+ from )"\./([^"]+)"', text)
    assert len(named) + len(whole) == len(re.findall(r"\bimport\b", text))
    for what, where in [*named, *(("", where) for where in whole)]:
        exported = set(re.findall(r"export (?:async )?(?:function|const|class) (\w+)", text_of(where)))
        assert {each.split(" as ")[0].strip() for each in what.split(",")} - {""} <= exported


def test_hooks() -> None:
    """Every name that a browser's driver holds on to is written in the pages, where names are given."""
    text = "".join(text_of(name) for name in SCRIPTS)
    given = r'(?:"data-testid":|\btestid:|\bcontrol\(|\bscreen\()\s*"([a-z-]+)"'
    assert HOOKS - set(re.findall(given, text)) == set()
    assert {name for name in FIELDS if not re.search(rf'field\("[^"]+", "{name}"', text)} == set()
    assert {part for part in COMPOSED if f"`{part}`" not in text} == set()
    assert {name for name in DATA if f'"{name}":' not in text} == set()
    for state in ("state: talk.state", "path: talk.way", "sent: talk.sent", "sending: talk.carried"):
        assert state in text
    for node in ("badge.dataset.count", "badge.dataset.state", "main.dataset.state", "main.dataset.address"):
        assert f"{node} = " in text
    for node in ("node.dataset.booked", "seen.dataset.shown", "list.dataset.complete", "node.dataset.state"):
        assert f"{node} = " in text
