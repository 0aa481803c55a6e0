"""Who may see what: grants, what lies within what, and the facts of a stored run read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.ledger import Ledger
from harness.sweeping import directory
from harness.sweeping.judging.facts import Facts, Person, Thing, is_token

from .world import ALICE, BOB, CAROL, CHEN, DIAZ, HER_RECORDING, HERS, HIS, OPERATOR, facts, ledger


def thing(known: Facts, value: str) -> Thing:
    """Return a thing that must be known."""
    found = known.find(value)
    assert found
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [("visit-0a1b2c", True), ("video", False), ("17", False), ("a 1 b 2 c 3", False), (4711, False), ("x" * 7, False)],
)
def test_what_identifies(value: object, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """A word, a small number or a sentence identifies nothing."""
    assert is_token(value) is expected


def test_a_share_lets_in_and_no_further() -> None:
    """A carer sees the recording that was shared and hears its call, but not the call's other recordings."""
    known = facts()
    other = known.add(Thing("rec-77aa88", "recording", ALICE, within=HERS))
    known.grant(thing(known, HER_RECORDING), CAROL)
    assert known.may_see(CAROL, thing(known, HER_RECORDING))
    assert known.may_see(CAROL, thing(known, HERS))
    assert known.may_see(CAROL, thing(known, ALICE))
    assert known.may_hear(CAROL, HERS)
    assert not known.may_see(CAROL, other)
    assert not known.may_see(CAROL, thing(known, BOB))


def test_what_lies_within_a_consultation_is_its_parties() -> None:
    """A prescription within Alice's visit is Chen's to see and not Diaz's."""
    known = facts()
    paper = known.add(Thing("prescription-1", "prescription", ALICE, {ALICE}, within=HERS))
    assert known.may_see(CHEN, paper)
    assert not known.may_see(DIAZ, paper)


def test_a_clinician_sees_what_their_patient_measured() -> None:
    """What belongs to no consultation is for its owner and whoever treats them."""
    known = facts()
    metric = known.add(Thing("metric-12", "metric", ALICE, {ALICE}))
    assert known.may_see(CHEN, metric)
    assert not known.may_see(DIAZ, metric)
    assert not known.may_see(BOB, metric)


def test_what_clinicians_make_alone_is_for_all() -> None:
    """A slot that a clinician offers is nobody's secret; one that a patient has taken is."""
    known = facts()
    slot = known.add(Thing("slot-4711", "slot", CHEN, {CHEN}))
    assert known.may_see(BOB, slot)
    known.grant(slot, ALICE)
    assert not known.may_see(BOB, slot)


def test_a_public_kind() -> None:
    """Things of a kind that was said to be public are for everybody."""
    known = Facts({"post"})
    known.add_person(Person(ALICE, "alice", "patient"))
    post = known.add(Thing("post-1234", "post", ALICE, {ALICE}))
    assert known.may_see(None, post)
    assert not known.may_see(None, known.add(Thing("note-1234", "note", ALICE, {ALICE})))


def test_overseers_see_that_there_is_something() -> None:
    """An operator sees every identifier and hears nothing."""
    known = facts()
    assert known.may_see(OPERATOR, thing(known, HERS))
    assert not known.may_hear(OPERATOR, HERS)


def test_one_value_is_one_thing() -> None:
    """Who is shown a known id in an answer does not become its owner."""
    known = facts()
    known.add(Thing(HIS, "consultation", ALICE, {ALICE}))
    assert not known.may_see(ALICE, thing(known, HIS))


def store(directory: Path, made: Ledger) -> None:
    """Write a ledger as a stored run has it."""
    (directory / "ledgers").mkdir(parents=True)
    lines = "".join(entry.as_json() + "\n" for entry in made)
    (directory / "ledgers" / "t1.jsonl").write_text(lines)


def test_a_stored_run_is_read_back(tmp_path: Path) -> None:
    """Ledgers give cast and consultations; facts.json what a sweep learnt besides, and no link."""
    store(tmp_path, ledger())
    assert not directory.load(tmp_path).may_see(CAROL, thing(directory.load(tmp_path), HER_RECORDING))
    known = facts()
    known.grant(thing(known, HER_RECORDING), CAROL)
    known.add(Thing("c2VjcmV0LWxpbms1.c2ln", "link", ALICE))
    (tmp_path / "facts.json").write_text(json.dumps(directory.as_json(known)))
    again = directory.load(tmp_path)
    assert again.may_see(CAROL, thing(again, HER_RECORDING))
    assert again.people == known.people
    assert again.canaries == known.canaries
    assert again.find("c2VjcmV0LWxpbms1.c2ln") is None


def test_what_was_public_and_whose_files_were_is_read_back(tmp_path: Path) -> None:
    """A stored sweep holds public what the sweep held public, and knows files by their hashes."""
    store(tmp_path, ledger())
    known = Facts({"post"})
    known.learn(ledger())
    known.add(Thing("post-1234", "post", ALICE, {ALICE}))
    known.files["0" * 64] = HER_RECORDING
    (tmp_path / "facts.json").write_text(json.dumps(directory.as_json(known)))
    again = directory.load(tmp_path)
    assert again.may_see(None, thing(again, "post-1234"))
    assert again.files == {"0" * 64: HER_RECORDING}


def test_no_run_and_a_broken_one(tmp_path: Path) -> None:
    """A folder without ledgers, and facts that no sweep wrote, are one line that names the place."""
    with pytest.raises(UsageError, match="no ledger is there"):
        directory.load(tmp_path / "nowhere")
    store(tmp_path, ledger())
    (tmp_path / "facts.json").write_text('{"people": 3}')
    with pytest.raises(UsageError, match=r"facts\.json: not what a sweep writes"):
        directory.load(tmp_path)
