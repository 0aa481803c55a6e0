"""Our verdict as HTML: the words of `harness check`, the most important first, and nothing that is fetched."""

import re
from pathlib import Path

import pytest

from harness.ledger import Ledger
from harness.model import Catalogue, Flag, Trial, Verdict
from harness.planning.exhaustive import exhaustive
from harness.reporting import text
from harness.reporting.report import table, verdict
from harness.reporting.report.results import titles
from harness.reporting.report.table import Links, Table, anchor
from harness.running.outcome import RunOutcome
from harness.running.recheck import recheck
from harness.running.settings import Settings
from harness.running.trial import TrialResult
from tests.checks.stories import canary, item, sound
from tests.reporting.stored import clean, keep_leak, leaked, leaking, store, trial_with
from tests.running.runs import LEAK

LEAKING = trial_with("replay-cache", "video-upgrade")


def pages(out: Path) -> verdict.Pages:
    """Return the verdict of a stored run."""
    outcome, settings, stored = recheck(out)
    return verdict.pages(outcome, settings, stored, titles(outcome.plan))


def seen(html: str) -> str:
    """Return the text of a page, on one line."""
    bare = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", html)
    return " ".join(bare.replace("&#x27;", "'").split())


def unspaced(html: str) -> str:
    """Return a page with its commands as they are copied, their words not marked."""
    return html.replace("<i>", "").replace("</i>", "")


def test_a_leak_says_do_not_ship_then_with_which_flags_then_why(tmp_path: Path) -> None:
    """Verdict, flags that are safe, the cause, who saw whose media, and a frame of it, in this order."""
    out = store(tmp_path / "out", leaking)
    keep_leak(out, LEAKING)
    made = pages(out)
    words = seen(made.fragment)
    assert made.headline == "INVALID: do not ship"
    places = [
        words.index(each)
        for each in (
            "INVALID: do not ship",
            "ship: safe with replay-cache=off (2 of 2 combinations valid)",
            "leaks when replay-cache=on and video-upgrade=on",
            "foreign media: never ship : alice's replay list served video that bob emitted in visit-2",
            "what alice was shown: media of bob",
        )
    ]
    assert places == sorted(places)
    assert words.count("leaks when replay-cache=on and video-upgrade=on two_visits") == 1
    assert 'src="data:image/png;base64,' in made.fragment


def test_the_whole_text_of_harness_check_is_there(tmp_path: Path) -> None:
    """Every word of it, and the page alone has the same as the report's."""
    out = store(tmp_path / "out", leaking)
    outcome, settings, stored = recheck(out)
    said = " ".join(text.verdict(outcome, settings, stored).replace("<--- here", "&lt;--- here").split())
    made = pages(out)
    assert said in seen(made.fragment).replace("&gt;", ">")
    assert said in seen(made.page).replace("&gt;", ">")


def test_links_lead_into_the_report_and_a_page_alone_has_none(tmp_path: Path) -> None:
    """Each trial in the table leads to its result in Allure's page."""
    made = pages(store(tmp_path / "out", leaking))
    assert made.fragment.count(f'href="{anchor(LEAKING.id)}"') == 2
    keep_leak(tmp_path / "out", LEAKING)
    made = pages(tmp_path / "out")
    assert f"media of bob, in {Links(is_linked=True).to(LEAKING.id, f'trial {LEAKING.id}')}" in made.fragment
    assert "href" not in made.page
    assert not re.search(r"(src|href)=\"(?!data:|#)", made.fragment + made.page)


def test_a_good_run_says_so_and_that_its_control_was_found(tmp_path: Path) -> None:
    """The green page has no cause, and says why it may be believed."""
    made = pages(store(tmp_path / "out"))
    words = seen(made.page)
    assert words.startswith("VALID: nobody could see media that is not theirs")
    assert "control: a foreign video slipped into alice's list was found and proved" in words
    assert "harness-causes" not in made.page.partition("</style>")[2]
    assert made.page.partition("</style>")[2].count("✓") == 8


def test_a_good_run_says_of_what_and_how_it_is_played_again(tmp_path: Path) -> None:
    """A green page with a flaw planted in the target names it, above the fold, and the command is one to copy."""
    out = tmp_path / "out"
    told = Settings(
        out=out, seed=7, flaws=("thumbnail-open",), target="https://ops:s3cret@clinic.test", flag_server="x"
    )
    made = pages(store(out, settings=told))
    assert (
        "<p>played: https://clinic.test, by API, 2 scenarios, seed 7, flags from x, "
        "with the flaw thumbnail-open planted</p>" in made.page
    )
    assert "<p>the whole run again:<code>harness run --seed 7 --target https://clinic.test " in unspaced(made.page)
    assert made.page.index("<code>") < made.page.index("<details>")
    assert "s3cret" not in made.page


def test_doubts_and_cells_without_a_result_show(tmp_path: Path) -> None:
    """A run in doubt is not green: the reason stands on top, the missing cell in the table."""
    out = store(tmp_path / "out", lambda trial: None if trial == LEAKING else clean(trial))
    made = pages(out)
    words = seen(made.fragment)
    assert words.startswith("UNKNOWN: nothing is proved, do not ship on this")
    assert "not proved: 1 of 8 expected trials have no result" in words
    assert 'class="harness-unknown" title="not executed"' in made.fragment


def test_what_a_target_says_is_never_markup(tmp_path: Path) -> None:
    """Words of the ledger are shown as words."""
    out = store(tmp_path / "out", leaking)
    file = out / "ledgers" / f"{LEAKING.id}.jsonl"
    file.write_text(file.read_text().replace("rec-2", "<script>alert(1)</script>"))
    assert "<script>" not in pages(out).fragment


def test_the_picture_is_of_a_trial_that_is_named(tmp_path: Path) -> None:
    """Another leak's picture is shown only if none of the trials that stand above has one."""
    out = store(
        tmp_path / "out", lambda trial: leaked() if trial.combination["video-upgrade"] == "on" else clean(trial)
    )
    first = trial_with("video-upgrade")
    outcome = recheck(out)[0]
    named = next(scenario.worst for scenario in outcome.scenarios if scenario.name == "two_visits")
    assert named
    other = next(trial for trial in (first, LEAKING) if trial != named.trial)
    keep_leak(out, other)
    assert f"in trial {other.id}</figcaption>" in pages(out).page
    keep_leak(out, named.trial)
    assert f"in trial {named.trial.id}</figcaption>" in pages(out).page


def elsewhere(trial: Trial) -> Ledger:
    """Return a trial in which Alice met another trial's media; in one scenario she met Bob's as well, after it."""
    told = sound().lists("alice", item("rec-1"), item("rec-9"), item("rec-2"))
    told = told.opens("alice", "rec-9", f"{9:020d}")
    return (told.opens("alice", "rec-2", canary("bob", "visit-2")) if trial.scenario == "one_more" else told).closed()


def test_a_leak_that_can_be_played_again_stands_first(tmp_path: Path) -> None:
    """The first scenario met other trials' media alone; headline and picture are of the one that leaks by itself."""
    out = store(tmp_path / "out", elsewhere)
    outcome = recheck(out)[0]
    for scenario in outcome.scenarios:
        assert scenario.worst is not None
        keep_leak(out, scenario.worst.trial)
    made = pages(out)
    words = seen(made.page)
    assert words.index("one_more (") < words.index("two_visits (")
    assert "never ship : alice's replay list served video that bob emitted in visit-2" in words
    shown = outcome.scenarios[1].worst
    assert shown is not None
    assert f"what alice was shown: media of bob, in trial {shown.trial.id}</figcaption>" in made.page
    leak = next(each for each in shown.findings if each.owner != "bob")
    (out / "evidence" / shown.trial.id / "leak.txt").write_text(f"{leak.sentence}\n")
    assert f"what alice was shown: media of {leak.owner}, in trial {shown.trial.id}</figcaption>" in pages(out).page


def test_under_each_finding_stands_the_command_that_plays_it_again(tmp_path: Path) -> None:
    """It is one to copy, not folded away, and says so where one trial alone may show nothing."""
    out = store(tmp_path / "out", elsewhere)
    page = pages(out).page.partition("<details>")[0]
    for scenario in recheck(out)[0].scenarios:
        assert scenario.worst is not None
        assert f":<code>harness run --trial {scenario.worst.trial.id} --seed 7 " in unspaced(page)
    assert page.count("alone it may be valid") == 1
    gone = store(tmp_path / "gone", lambda _: None)
    assert "harness run --trial" not in unspaced(pages(gone).page)


def test_a_row_says_what_its_combination_changes() -> None:
    """A number is no name: the flags of a cause come first, then others, as many as find room."""
    flags = tuple(Flag(f"a-flag-with-quite-a-long-name-{number}") for number in range(5))
    plan = exhaustive(Catalogue(flags, source="x"), ["one"], 7)
    last, cause = plan.trials[-1], flags[-1].name
    found = {trial: (LEAK,) if trial.combination[cause] == "on" else () for trial in plan.trials}
    results = (
        TrialResult(trial, Verdict.merge(each.verdict for each in told), told, 1.0) for trial, told in found.items()
    )
    outcome = RunOutcome(plan, tuple(results), None)
    shown = "".join(Table(outcome, titles(plan), Links(is_linked=False)).html())
    assert f'title="{last.combination}"' in shown
    assert (
        "<b>combination 32 of 32</b> <span>a-flag-with-quite-a-long-name-4=on a-flag-with-quite-a-long-name-0=on "
        "a-flag-with-quite-a-long-name-1=on …</span>" in shown
    )


def test_a_table_that_is_cut_says_so_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not called every trial when it holds some."""
    out = store(tmp_path / "out", leaking)
    assert "<summary>every trial</summary>" in pages(out).page
    monkeypatch.setattr(table, "MAX_ROWS", 3)
    assert "<summary>the trials of 3 of 4 combinations, none of the others graver</summary>" in pages(out).page


def test_what_is_no_accusation_is_not_red() -> None:
    """What may ship, and what perhaps may, have colours of their own."""
    assert verdict._emphasised("ship: safe with a=off") == '<strong class="harness-ship">ship:</strong> safe with a=off'
    assert verdict._emphasised("hypothesis: <b>").startswith('<strong class="harness-hypothesis">hypothesis:</strong>')
    for word in verdict.ANSWERS:
        assert f"strong.harness-{word} {{ color:" in verdict.STYLE
