"""Earlier runs are found, and asked whose a canary is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.canary import RUN_BITS, Canary, pack
from harness.errors import UsageError
from harness.identifying import runs as module
from harness.identifying.runs import look_up, stored_runs
from harness.running.register import Register
from tests.identifying.written import RUN, SCENARIO, TRIAL, written


def test_a_canary_is_told_by_the_ledger_of_its_trial(tmp_path: Path) -> None:
    """Everything that a ledger knows of an emission comes out of it: who, where, in which visit, as what."""
    run = written(tmp_path / "out", trials=3)
    [origin] = look_up([run.bob], [run.out]).origins[run.bob]
    last = f"{int(TRIAL, 16) + 2:08x}"
    assert (origin.directory, origin.run, origin.trial, origin.scenario) == (run.out, RUN, last, SCENARIO)
    assert (origin.actor, origin.role, origin.account) == ("bob", "patient", f"bob-{last}")
    assert (origin.visit, origin.consultation, origin.what) == ("visit-2", f"con-{last}-2", "video")
    assert origin.acknowledged


def test_what_the_target_never_took_is_told_so(tmp_path: Path) -> None:
    """An emission without an answer is an origin as well, and says that it was not acknowledged."""
    run = written(tmp_path / "out", acknowledged=False)
    [origin] = look_up([run.alice], [run.out]).origins[run.alice]
    assert (origin.actor, origin.acknowledged) == ("alice", False)


def test_what_was_only_met_is_nobodys_origin(tmp_path: Path) -> None:
    """That a canary stands in a ledger as seen does not make it that trial's."""
    run = written(tmp_path / "out")
    ledger = run.out / "ledgers" / f"{TRIAL}.jsonl"
    stranger = Canary(RUN, 999, 1, 1)
    row = json.loads(ledger.read_text().splitlines()[-1])
    row |= {"action": "open", "data": {"canary": f"{pack(stranger):020d}", "recording": "rec-1"}}
    ledger.write_text(ledger.read_text() + json.dumps(row) + "\n")
    found = look_up([stranger, run.bob], [run.out])
    assert list(found.origins) == [run.bob]
    assert found.directories == {RUN: [run.out]}


def test_two_runs_of_one_number_are_both_named(tmp_path: Path) -> None:
    """Run numbers may meet by chance: then each run's word stands."""
    one, other = written(tmp_path / "one"), written(tmp_path / "other")
    assert one.bob == other.bob
    assert [each.directory for each in look_up([one.bob], [one.out, other.out]).origins[one.bob]] == [
        one.out,
        other.out,
    ]


def test_a_run_is_known_by_each_of_its_numbers(tmp_path: Path) -> None:
    """A run of more than 65,536 actors takes the numbers that follow its first, past the last one too."""
    first = (1 << RUN_BITS) - 1
    written(tmp_path / "out", first)
    user = Canary((first + 1) % (1 << RUN_BITS), 17, 2, 1)
    beyond = Canary((first + module.RUN_NUMBERS) % (1 << RUN_BITS), 17, 2, 1)
    found = look_up([user, beyond], [tmp_path / "out"])
    assert found.directories == {0: [tmp_path / "out"]}
    assert found.origins == {}


def test_ledgers_with_spaces_and_the_control_are_read(tmp_path: Path) -> None:
    """How JSON is spaced does not matter, and the control trial's ledger counts."""
    run = written(tmp_path / "out")
    ledger = run.out / "ledgers" / f"{TRIAL}.jsonl"
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    (run.out / "control-2.jsonl").write_text("".join(json.dumps(row, indent=None) + "\n" for row in rows))
    ledger.unlink()
    [origin] = look_up([run.bob], [run.out]).origins[run.bob]
    assert origin.trial == TRIAL


def test_a_long_first_line_hides_no_run(tmp_path: Path) -> None:
    """Where the run's number is not in the beginning of a ledger, all of it is searched."""
    run = written(tmp_path / "out")
    ledger = run.out / "ledgers" / f"{TRIAL}.jsonl"
    first, rest = ledger.read_text().split("\n", 1)
    row = json.loads(first)
    row["data"] = {"surfaces": ["x" * 20_000], **row["data"]}
    ledger.write_text(json.dumps(row) + "\n" + rest)
    assert run.bob in look_up([run.bob], [run.out]).origins


def test_broken_ledgers_are_remarked_and_the_rest_is_told(tmp_path: Path) -> None:
    """A line that is no entry is named and left out; one that a crash cut off is left out."""
    run = written(tmp_path / "out")
    ledger = run.out / "ledgers" / f"{TRIAL}.jsonl"
    text = ledger.read_text()
    ledger.write_text('{"action":"emit", broken\n' + text + '{"action":"emit","da')
    found = look_up([run.bob], [run.out])
    assert len(found.origins[run.bob]) == 1
    [remark] = found.remarks
    assert remark.startswith(f"{ledger}:1: not a ledger entry")


def test_a_ledger_beyond_the_limit_is_remarked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not read is said, not passed over."""
    run = written(tmp_path / "out")
    monkeypatch.setattr(module, "MAX_LEDGER_BYTES", 500)
    found = look_up([run.bob], [run.out])
    assert found.origins == {}
    assert found.remarks == [f"{run.out / 'ledgers' / TRIAL}.jsonl: more than 500 bytes, not read"]


def test_too_many_ledgers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question to more ledgers than the limit says how to ask fewer."""
    run = written(tmp_path / "out", trials=3)
    monkeypatch.setattr(module, "MAX_LEDGERS", 2)
    with pytest.raises(UsageError, match="more than 2 ledgers; name the runs"):
        look_up([run.bob], [run.out])


def test_runs_are_found_below_a_folder(tmp_path: Path) -> None:
    """A root may be a run or hold some; evidence, reports and hidden folders are not looked into."""
    for place in ("reports/out", "reports/drill/bytes-open", "reports/node_modules/x", "reports/.old/out"):
        written(tmp_path / place)
    roots = [tmp_path / "reports"]
    expected = [tmp_path / "reports/drill/bytes-open", tmp_path / "reports/out"]
    assert sorted(stored_runs(roots)) == expected
    assert stored_runs([*roots, tmp_path / "reports/out"]) == stored_runs(roots)
    assert stored_runs([tmp_path / "reports/out"]) == [tmp_path / "reports/out"]


def test_too_many_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root that is a whole disk is refused, with what to do."""
    for each in range(4):
        (tmp_path / f"folder-{each}").mkdir()
    monkeypatch.setattr(module, "MAX_FOLDERS", 4)
    with pytest.raises(UsageError, match="more than 4 folders; name those that hold the runs"):
        stored_runs([tmp_path])


def test_folders_too_deep_are_not_looked_into(tmp_path: Path) -> None:
    """The search ends at its depth."""
    deep = tmp_path.joinpath(*"abcde")
    written(deep)
    written(deep / "f")
    assert stored_runs([tmp_path]) == [deep]


def test_a_root_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    """A folder that is misspelt, or a file, is refused in one line."""
    written(tmp_path / "reports")
    with pytest.raises(UsageError, match=r"--runs .*report: no such directory; did you mean '.*reports'\?"):
        stored_runs([tmp_path / "report"])
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="it is not a directory"):
        stored_runs([tmp_path / "file"])


def test_without_a_canary_no_ledger_is_read(tmp_path: Path) -> None:
    """Nothing asked, nothing answered, not even from a ledger that cannot be read."""
    run = written(tmp_path / "out")
    (run.out / "ledgers" / "0000dead.jsonl").mkdir()
    assert look_up([], [run.out]).remarks == []
    assert len(look_up([run.bob], [run.out]).remarks) == 1


def test_the_number_that_a_register_gives_is_found(tmp_path: Path) -> None:
    """A canary of the register itself, as studio and ledger have it, leads back to its actor."""
    run = written(tmp_path / "out")
    assert Register(RUN).canary(2, 2, 1) == run.bob
