"""The verdict in plain text: the most important sentence first, each failure ending in a command to paste."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.ledger import Action, Outcome
from harness.model import Combination, Finding
from harness.planning.coverage import cover
from harness.planning.held import held_at_baseline
from harness.reporting import text
from harness.running.outcome import RunOutcome
from harness.running.settings import Settings
from harness.running.store import Store, StoredRun, load
from harness.running.trial import not_executed
from tests.planning.models import THIRTEEN
from tests.running.runs import DOUBT, FOUND, LEAK, MISSING, Judge, leak_or_missing, leak_with_both_on, results, run


def stored(out: Path, outcome: RunOutcome) -> StoredRun:
    """Write the run's directory, with the same four entries in every ledger."""
    with Store.create(out, outcome.plan, Settings(out=out)) as store:
        for trial in outcome.plan.trials:
            ledger = store.ledger(trial)
            ledger.note("harness", Action.TRIAL, trial=trial.id)
            ledger.note("bob", Action.EMIT, visit="visit-2", medium="video", canary="0042")
            ledger.note("alice", Action.LIST, surface="replay-list", items=[{"recording": "rec-2"}])
            content = {"canaries": [{"value": "0042", "owner": "bob of trial 1"}] * 2}
            ledger.note("alice", Action.OPEN, surface="replay-list", recording="rec-2", direct=False, content=content)
            ledger.note("bob", Action.JOIN, Outcome.FAIL, visit="visit-1", error="403")
            ledger.close()
    return load(out)


def lines(outcome: RunOutcome, out: Path) -> list[str]:
    """Return the whole verdict, line by line."""
    return text.verdict(outcome, Settings(out=out), stored(out, outcome)).split("\n")


def test_a_valid_verdict(tmp_path: Path) -> None:
    """The sentence that matters, what was executed, each scenario, the control, and where the report lies."""
    out = tmp_path / "out"
    assert lines(run((lambda _scenario, _combination: ()), "one", "two"), out) == [
        "VALID: nobody could see media that is not theirs",
        "  ship: safe with each of the 4 valid combinations of flags",
        "  played: clinic, by API, 2 scenarios, seed 7",
        "  8 of 8 trials executed; 4 of 4 valid combinations in each of 2 scenarios",
        f"  the whole run again: harness run --seed 7 --out {out}-again",
        "",
        "one: VALID (4 valid)",
        "",
        "two: VALID (4 valid)",
        "",
        "control: a foreign video slipped into alice's list was found and proved",
        f"1,234 requests in 5.7 s; report: {out}",
    ]


def test_a_leak_in_words(tmp_path: Path) -> None:
    """A leak is told with its flags, its evidence, a command to paste, and the flags that are safe."""
    outcome = run(leak_with_both_on)
    out = tmp_path / "out"
    assert lines(outcome, out)[:-2] == [
        "INVALID: do not ship",
        "  ship: safe with cache=off (2 of 2 combinations valid)",
        "  ship: safe with upgrade=off (2 of 2 combinations valid)",
        "  played: clinic, by API, 1 scenario, seed 7",
        "  4 of 4 trials executed; 4 of 4 valid combinations in 1 scenario",
        f"  the whole run again: harness run --seed 7 --out {out}-again",
        "",
        "one: INVALID (3 valid, 1 invalid)",
        "  leaks when cache=on and upgrade=on",
        f"  trial {outcome.plan.trials[3].id}, with cache=on upgrade=on",
        f"  foreign-media, proved: {LEAK.sentence}",
        "    #1    bob      emitted   video in visit-2 as 0042",
        "    #3    alice    opened    rec-2 -> 0042, bob in visit-2   <--- here",
        f"  again: harness run --trial {outcome.plan.trials[3].id} --seed 7 --out {out}-again",
        "",
    ]


def test_what_needs_other_trials_is_told_beside_the_command(tmp_path: Path) -> None:
    """Played alone, a trial meets nothing of others; where its evidence lies is said before."""
    out = tmp_path / "out"
    borrowed = replace(LEAK, owner="bob of trial 31b29c27")
    told = lines(run(lambda _scenario, _combination: [borrowed]), out)
    assert told[-4].startswith("         what leaked is other trials': alone it may be valid")
    both = run(lambda _scenario, _combination: [borrowed, LEAK])
    (out / "evidence" / both.plan.trials[0].id).mkdir(parents=True)
    told = text.verdict(both, Settings(out=out), load(out)).split("\n")
    assert told[-6] == f"  evidence: {out / 'evidence' / both.plan.trials[0].id}"
    assert told[-4] == "         alone it meets nothing of other trials: of what is shown above, only its own"
    promise = replace(MISSING, check="broken-promise")
    assert not any("other trials" in line for line in lines(run(lambda _scenario, _combination: [promise]), out / "p"))


def test_what_the_trial_shows_by_itself_is_shown_though_others_media_was_met_before(tmp_path: Path) -> None:
    """Of many findings three are printed; what the command below them shows again is the first."""
    borrowed = [replace(LEAK, owner="bob of trial 31b29c27", sentence=f"borrowed {number}") for number in range(16)]
    told = lines(run(lambda _scenario, _combination: [*borrowed, LEAK]), tmp_path / "out")
    found = [line for line in told if line.startswith("  foreign-media, proved: ")]
    assert [line.partition(": ")[2] for line in found] == [LEAK.sentence, "borrowed 0", "borrowed 1"]
    assert "  ... and 14 more findings in this trial" in told


def covered(judge: Judge) -> RunOutcome:
    """Return a finished run of pairs over thirteen flags, two of them fixed."""
    catalogue, fixed = held_at_baseline(THIRTEEN)
    planned = cover(catalogue, "t-way:2", fixed).plan(["one"], 7)
    return RunOutcome(planned, results(planned, judge), FOUND)


def test_a_valid_verdict_on_some_combinations_claims_no_more(tmp_path: Path) -> None:
    """What was executed is said in the first sentence, the pairs and what was fixed beneath."""
    told = lines(covered(lambda _scenario, _combination: ()), tmp_path / "out")
    assert told[:5] == [
        "VALID: nobody could see media that is not theirs in the combinations that were executed",
        "  ship: nothing stands against it in the 15 executed of 1,944 valid combinations",
        "  played: clinic, by API, 1 scenario, seed 7",
        "  15 of 15 trials executed; 15 of 1,944 valid combinations in 1 scenario",
        (
            "  t-way 2: every valid pair of variants is played in 1 scenario, in 15 of 1,944 valid combinations, "
            "all with recorder-transcode=off and fast-sessions=off, which this run holds so"
        ),
    ]


def test_a_leak_in_some_combinations_is_a_hypothesis(tmp_path: Path) -> None:
    """Neither its cause nor what did not fail is told as a fact, and nothing is called safe to ship."""
    told = lines(covered(lambda _, row: [LEAK] if row["video-upgrade"] == "on" else []), tmp_path / "out")
    assert told[:2] == [
        "INVALID: do not ship",
        "  hypothesis: you may ship with video-upgrade=off: nothing failed in the 5 executed of 648 combinations",
    ]
    assert "  seems to leak when video-upgrade=on   (hypothesis: 15 of 1,944 combinations have a verdict)" in told
    assert not any("safe" in line or "ship: " in line for line in told)


def test_what_is_no_leak_is_not_called_one(tmp_path: Path) -> None:
    """Missing media fails under its flags, beside a leak under others."""
    told = lines(run(leak_or_missing), tmp_path / "out")
    assert "  leaks when cache=on and upgrade=off" in told
    assert "  fails when cache=off and upgrade=on" in told


def test_an_unknown_verdict_says_what_was_not_proved(tmp_path: Path) -> None:
    """Nothing is proved, and why; a cell that never ran has neither evidence nor a command."""
    whole = run(lambda _scenario, combination: [DOUBT] if set(combination.values()) == {"off"} else [])
    told = lines(replace(whole, control=None), tmp_path / "out")
    assert told[0] == "UNKNOWN: nothing is proved, do not ship on this"
    assert told[5] == "one: UNKNOWN (3 valid, 1 unknown)"
    assert told[6] == f"  trial {whole.plan.trials[0].id}, with every flag at the baseline"
    assert told[7] == "  unproved: the story was not told to its end"
    assert told[-2] == "not proved: the control did not run, so no list can be believed"
    gone = not_executed(whole.plan.trials[0], "the target died")
    told = lines(replace(whole, results=(gone, *whole.results[1:])), tmp_path / "gone")
    assert "  unproved: not executed: the target died" in told
    assert not any(line.startswith("  again:") for line in told)


def test_a_scenario_of_which_nothing_ran(tmp_path: Path) -> None:
    """It is unknown and says so."""
    assert "one: UNKNOWN (not executed)" in lines(replace(run(), results=()), tmp_path / "out")


def test_long_findings_are_cut(tmp_path: Path) -> None:
    """Three findings of a trial are shown, and how many more there are."""

    def many(_scenario: str, combination: Combination) -> list[Finding]:
        return [MISSING] * 5 if combination["cache"] == "on" else []

    told = lines(run(many), tmp_path / "out")
    assert sum("did not find the video" in line for line in told) == 3
    assert "  ... and 2 more findings in this trial" in told


def test_one_trials_failure(tmp_path: Path) -> None:
    """The plugin's report names scenario, verdict and flags, and shows every kind of evidence."""
    outcome = run(lambda _scenario, _combination: [replace(LEAK, evidence=(0, 2, 4))])
    result = outcome.results[1]
    told = text.failure(result, Settings(out=Path("o")), stored(tmp_path / "out", outcome))
    assert told.split("\n") == [
        "one: INVALID with cache=off upgrade=on",
        f"  foreign-media, proved: {LEAK.sentence}",
        "    #0    harness  trial",
        "    #2    alice    listed    rec-2 among 1",
        "    #4    bob      join fail: 403   <--- here",
        f"  again: harness run --trial {result.trial.id} --seed 7 --out o-again",
    ]


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (Settings(target="http://127.0.0.1:9"), "--target http://127.0.0.1:9 --out reports/out-again"),
        (Settings(flag_server="http://127.0.0.1:9"), "--flag-server http://127.0.0.1:9 --out reports/out-again"),
        (Settings(flags=Path("my flags.toml")), "--flags 'my flags.toml' --out reports/out-again"),
        (Settings(flaws=("a", "b")), "--flaw a --flaw b --out reports/out-again"),
        (Settings(out=Path("x-again")), "--out x-again"),
        (Settings(coverage="t-way:2"), "--coverage t-way:2 --out reports/out-again"),
    ],
)
def test_the_command_to_paste_has_what_the_run_was_told(settings: Settings, options: str) -> None:
    """Whatever was not the default is repeated, quoted for a shell."""
    result = run().results[0]
    assert text.again(result, settings) == f"harness run --trial {result.trial.id} --seed 7 {options}"


WATCHED = "https://ops:s3cret@clinic.test/api"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (Settings(flaws=("a",)), "clinic, by API, 1 scenario, seed 7, with the flaw a planted"),
        (Settings(flaws=("a", "b")), "clinic, by API, 1 scenario, seed 7, with the flaws a and b planted"),
        (Settings(driver="browser"), "clinic, by browser, 1 scenario, seed 7"),
        (Settings(driver="patient=browser"), "clinic, patient by browser and clinician by API, 1 scenario, seed 7"),
        (Settings(paths=("a.py", "b")), "clinic, by API, 1 scenario of a.py and b, seed 7"),
        (Settings(paths=("a.py", "b", "c")), "clinic, by API, 1 scenario of 3 paths, seed 7"),
        (Settings(target=WATCHED), "https://clinic.test/api, by API, 1 scenario, seed 7"),
        (Settings(flag_server=WATCHED), "clinic, by API, 1 scenario, seed 7, flags from https://clinic.test/api"),
        (Settings(target="a.b:c"), "a.b:c, by API, 1 scenario, seed 7"),
    ],
)
def test_a_verdict_says_of_what_it_speaks(settings: Settings, line: str, tmp_path: Path) -> None:
    """A run that says ship names its target, driver, scenarios, seed and planted flaws, and no password."""
    outcome = run()
    told = text.verdict(outcome, settings, stored(tmp_path / "out", outcome)).split("\n")
    assert f"  played: {line}" in told
    assert not any("s3cret" in each or "ops" in each for each in told)


def test_the_whole_run_can_be_played_again(tmp_path: Path) -> None:
    """The command has the scenarios that were chosen, of a small selection its trials, of a large one there is none."""
    outcome = run()
    chosen = Settings(paths=("more",), scenarios=("one",), coverage="t-way:1", flaws=("a",))
    assert text.run_again(outcome, chosen) == (
        "harness run more one --seed 7 --coverage t-way:1 --flaw a --out reports/out-again"
    )
    few = outcome.plan.select(lambda trial: trial in outcome.plan.trials[:2])
    again = text.run_again(replace(outcome, plan=few), Settings(scenarios=("one",)))
    assert again == (
        f"harness run --trial {few.trials[0].id} --trial {few.trials[1].id} --seed 7 --out reports/out-again"
    )
    many = covered(lambda _scenario, _combination: ()).plan
    many = replace(many, trials=many.trials * 2, claim=replace(many.claim, kind="selection"))
    assert not text.run_again(replace(outcome, plan=many), Settings())
    told = lines(replace(outcome, plan=many), tmp_path / "out")
    assert not any("the whole run again" in line for line in told)


def test_a_command_holds_no_password_of_an_address() -> None:
    """It stands in logs of CI, where anybody may read it."""
    settings = Settings(target=WATCHED, flag_server=WATCHED)
    command = text.again(run().results[0], settings)
    assert "--target https://clinic.test/api --flag-server https://clinic.test/api" in command
