"""A picture of a page in which nothing shows a person: all that is an image is covered or left out, text stays.

A page shows images in many more ways than `<img>`: backgrounds, borders, bullets, masks, SVG, generated content, and
all of these within shadow roots. A style sheet that wins over the page's own takes them away, and `cover.js` looks at
what is left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

FACES = "img, video, canvas, iframe, frame, embed, object, fencedframe, input[type=image i], image"
"""Elements that are images as a whole, or hold a document of their own; `image` is SVG's."""
COVER = "#8a8f98"

_WINS = ":is(#h#h#h#h#h#h#h#h, {})"
"""A selector as specific as eight ids, though there are none."""
_NO_IMAGE = (
    "background-image: none !important; border-image: none !important; list-style-image: none !important;"
    "mask-image: none !important; -webkit-mask-box-image: none !important; -webkit-box-reflect: none !important;"
    "filter: none !important; backdrop-filter: none !important; transition: none !important;"
)
_PSEUDO = (
    "before",
    "after",
    "marker",
    "backdrop",
    "first-letter",
    "first-line",
    "placeholder",
    "file-selector-button",
    "details-content",
    "checkmark",
    "picker-icon",
    "picker(select)",
    "-webkit-slider-thumb",
    "-webkit-slider-runnable-track",
    "-webkit-progress-bar",
    "-webkit-progress-value",
    "-webkit-meter-bar",
    "-webkit-search-cancel-button",
    "-webkit-calendar-picker-indicator",
    "-webkit-scrollbar",
    "-webkit-scrollbar-thumb",
    "-webkit-scrollbar-track",
    "-webkit-resizer",
)
SHEET = "".join(
    [
        f"{_WINS.format('*')} {{ {_NO_IMAGE} }}",
        # One that a browser does not know would make a list of them void.
        *(f"{_WINS.format('*')}::{pseudo} {{ {_NO_IMAGE} }}" for pseudo in _PSEUDO),
        f"{_WINS.format(FACES)} {{ visibility: hidden !important }}",
        *(
            f"{_WINS.format('[harness-covered]')}::{pseudo} {{ content: none !important }}"
            for pseudo in ("before", "after", "marker")
        ),
    ]
)
_TO_THE_TOP = """async () => {
  scrollTo({ top: 0, left: 0, behavior: "instant" });
  const drawn = new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.race([drawn, new Promise((done) => setTimeout(done, 500))]);
}"""
"""Also what a page puts there when it is scrolled is then there to be covered; a page may draw nothing any more."""
_HIDE = Path(__file__).with_name("cover.js").read_text(encoding="utf-8").partition("\n")[2]


async def take(context: BrowserContext, page: Page, file: Path) -> None:
    """Write a picture of the whole page without images; raise Playwright's errors, and then there is none.

    The page is scrolled to its top: what is fixed to the window would otherwise stand in the middle of the picture.
    """
    await page.evaluate(_TO_THE_TOP)
    await page.evaluate(f"(css) => ({_HIDE})(document, css)", SHEET)
    await _hide_in_closed_roots(context, page)
    await page.screenshot(
        path=file,
        full_page=True,
        mask=[frame.locator(FACES) for frame in page.frames],
        mask_color=COVER,
        style=SHEET,
        timeout=0,
    )


async def _hide_in_closed_roots(context: BrowserContext, page: Page) -> None:
    """Do the same in shadow roots that a page keeps to itself: no script reaches them, the debugger does."""
    debugger = await context.new_cdp_session(page)
    document = await debugger.send("DOM.getDocument", {"depth": -1, "pierce": True})
    for root in _closed_roots(document["root"]):
        resolved = await debugger.send("DOM.resolveNode", {"backendNodeId": root})
        called = await debugger.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": f"function (css) {{ ({_HIDE})(this, css); }}",
                "objectId": resolved["object"]["objectId"],
                "arguments": [{"value": SHEET}],
            },
        )
        if "exceptionDetails" in called:
            raise PlaywrightError("a shadow root could not be covered")
    # Not when it fails: a page that hangs answers no farewell, and whoever waits for it then waits for ever.
    await debugger.detach()


def _closed_roots(document: dict[str, Any]) -> list[int]:
    """Return the closed shadow roots of a document; those of frames are covered with them."""
    found = []
    left = [document]
    while left:
        node = left.pop()
        if node.get("shadowRootType") == "closed":
            found.append(node["backendNodeId"])
        left += node.get("children", ())
        left += node.get("shadowRoots", ())
    return found
