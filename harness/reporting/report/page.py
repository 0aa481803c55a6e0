"""Takes from Allure's page whatever would reach out, forbids the rest, and puts our verdict above everything.

Allure 3 writes an analytics script into every report and has no option against it. It is cut out, and a content
security policy sees to it that nothing else is fetched either: not by a script, nor by a picture in some text.

Its data stands behind the script that shows it. On a busy machine that script runs before the data is there, asks for
files that do not exist, and shows nothing for ever; so the data is put before it.
"""

from __future__ import annotations

import re

from harness.errors import HarnessError

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline' data: blob:",
        "style-src 'unsafe-inline' data:",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "connect-src data: blob:",
        "frame-src data: blob:",
        "worker-src blob:",
        "form-action 'none'",
    )
)
ANALYTICS = re.compile(
    r"<script async src=\"https://www\.googletagmanager\.com/[^\"]*\"></script>\s*"
    r"<script>\s*window\.dataLayer\b(?:(?!</script>).)*</script>",
    re.DOTALL,
)
REACHING_OUT = re.compile(
    r"<(?:script|link|img|iframe|video|audio|source|object|embed)\b[^>]*?(?:src|href|data)=\"?(?:https?:)?//"
)
DATA = re.compile(r"<script async>\s*window\.allureReportDataReady = false;.*</script>(?=\s*</body>)", re.DOTALL)
APPLICATION = '<div id="app"></div>'
HEAD, BODY = "<head>", "<body>"


class UnknownPageError(HarnessError):
    """Allure's page is not as its pinned version writes it, so that what it would fetch is not known."""


def offline(html: str, verdict: str) -> str:
    """Return Allure's page without analytics, under a policy that forbids requests, with the verdict on top.

    Raises UnknownPageError when it is not the page that the pinned Allure writes.
    """
    stripped, count = ANALYTICS.subn("", html)
    found = REACHING_OUT.search(stripped)
    if count != 1 or found or "googletagmanager" in stripped:
        what = found[0] if found else f"{count} analytics scripts where 1 belongs"
        raise UnknownPageError(f"Allure's page is not as expected ({what}): no report was made of it")
    data = DATA.search(stripped)
    bare = stripped.replace(data[0], "", 1) if data else ""
    if data is None or any(bare.count(mark) != 1 for mark in (HEAD, BODY, APPLICATION)):
        raise UnknownPageError("Allure's page is not as expected (head, body, data): no report was made of it")
    policy = f'{HEAD}<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    before, after = bare.split(APPLICATION)
    return before.replace(HEAD, policy).replace(BODY, BODY + verdict) + APPLICATION + data[0] + after
