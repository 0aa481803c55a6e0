"""What is done to Allure's page: analytics out, everything else forbidden, our verdict on top."""

import pytest

from harness.reporting.report.page import UnknownPageError, offline

ANALYTICS = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-LNDJ3J7WT0"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-LNDJ3J7WT0', {"report": "awesome"});
    </script>"""
DATA = """<script async>
      window.allureReportDataReady = false;
    </script>
    <script defer>d("a", "<body>")</script>"""
PAGE = f"""<html><head><title>x</title></head><body><div id="app"></div><script src="data:app"></script>
    {ANALYTICS}{DATA}
</body></html>"""


def test_the_analytics_are_cut_out_and_nothing_else() -> None:
    """Both scripts are gone; the page's own stays, under a policy, below the verdict."""
    page = offline(PAGE, "<section>INVALID</section>")
    assert "googletagmanager" not in page
    assert "gtag" not in page
    assert page.index("Content-Security-Policy") < page.index("<title>")
    assert "default-src 'none'" in page
    assert '<body><section>INVALID</section><div id="app">' in page


def test_the_data_is_there_before_what_shows_it() -> None:
    """On a busy machine Allure's script would run first, and find nothing."""
    page = offline(PAGE, "")
    assert page.count(DATA) == 1
    assert page.index('<div id="app">') < page.index(DATA) < page.index('src="data:app"')


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace(ANALYTICS, ""),
        PAGE.replace(ANALYTICS, ANALYTICS * 2),
        PAGE.replace("<div", '<script src="https://elsewhere.example/x.js"></script><div'),
        PAGE.replace("<div", '<link rel=stylesheet href="//elsewhere.example/x.css"><div'),
        PAGE.replace("googletagmanager", "metrics.googletagmanager"),
        PAGE.replace("<body><div", "<body class=x><div"),
        PAGE.replace("allureReportDataReady", "dataReady"),
    ],
    ids=["none", "two", "another script", "a style sheet", "from elsewhere", "no body", "no data"],
)
def test_a_page_of_another_shape_is_refused(page: str) -> None:
    """What a page fetches is known for the pinned version alone: another one is not passed on."""
    with pytest.raises(UnknownPageError, match="not as expected"):
        offline(page, "")
