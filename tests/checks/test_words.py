"""Words: foreign-text on pages, pushed-foreign on live channels, and who may read what."""

import pytest

from harness.checks import foreign_text, pushed_foreign
from harness.ledger import Outcome
from tests.checks.stories import CAST, Story, story, word

PEOPLE = {**CAST, "pia": "pharmacist", "quin": "pharmacist", "dana": "clinician"}
PRESCRIPTION = word("chen", "prescription", "visit-1")


def met() -> Story:
    """Return a trial in which Alice and Bob each saw Chen, and Alice has a prescription at Pia's."""
    new = story(cast=PEOPLE).holds("alice", "visit-1").holds("bob", "visit-2")
    new.writes("alice", "name").writes("bob", "name").writes("chen", "name").writes("alice", "metric")
    return new.writes("chen", "prescription", visit="visit-1", to=("pia",))


def test_somebody_elses_prescription_is_foreign() -> None:
    """It was written for Alice and sent to Pia: Quin has no business with it."""
    (finding,) = foreign_text(met().reads("quin", "prescriptions", PRESCRIPTION).ledger())
    assert (finding.viewer, finding.owner, finding.degree) == ("quin", "chen", "proved")
    assert finding.sentence == (
        "quin's prescriptions showed the prescription that chen wrote in visit-1, which quin may not see"
    )


@pytest.mark.parametrize("viewer", ["alice", "chen", "pia"])
def test_a_prescription_is_read_by_whom_it_concerns(viewer: str) -> None:
    """Its patient, its writer and its pharmacist."""
    assert not foreign_text(met().reads(viewer, "prescriptions", PRESCRIPTION, refs=("con-1",)).ledger())


@pytest.mark.parametrize(("viewer", "is_foreign"), [("chen", False), ("pia", False), ("quin", True), ("bob", True)])
def test_a_name_is_known_to_whom_one_has_met(viewer: str, is_foreign: bool) -> None:  # noqa: FBT001 - a case
    """Those who share a visit, and the pharmacist of a prescription; nobody else."""
    assert bool(foreign_text(met().reads(viewer, "inbox", word("alice", "name")).ledger())) is is_foreign


def test_a_clinicians_name_is_no_secret() -> None:
    """Whoever may book may read it."""
    assert not foreign_text(met().reads("quin", "inbox", word("chen", "name")).ledger())


def test_a_visit_that_is_named_is_told_of() -> None:
    """That there is a visit is the visit's own secret; the name alone is presented."""
    (finding,) = foreign_text(met().reads("bob", "inbox", refs=("con-1",)).ledger())
    assert (finding.owner, finding.degree) == ("alice", "presented")


def test_another_trials_words_are_foreign() -> None:
    """A canary that no writing of this trial has is somebody else's."""
    (finding,) = foreign_text(met().reads("bob", "inbox", "12345678901234567890").ledger())
    assert finding.owner == "eve of trial 0000beef"


def test_metrics_stand_under_the_right_name() -> None:
    """Chen may see both patients' metrics, but not Alice's as Bob's."""
    measured = word("alice", "metric")
    assert not foreign_text(met().reads("chen", "patient-metrics", measured, about="alice").ledger())
    (finding,) = foreign_text(met().reads("chen", "patient-metrics", measured, about="bob").ledger())
    assert finding.sentence.endswith("showed the metric that alice wrote, which is not bob's")


def test_a_clinician_whom_one_may_have_met_is_no_stranger() -> None:
    """A join without an answer may have been one; a refused join was none."""
    measured = word("alice", "metric")
    for outcome, count in ((Outcome.UNKNOWN, 0), (Outcome.INTENT, 0), (Outcome.FAIL, 1)):
        new = met().joins("dana", "visit-1", outcome).reads("dana", "patient-metrics", measured, about="alice")
        assert len(foreign_text(new.ledger())) == count


def test_words_that_go_with_a_recording_are_looked_at() -> None:
    """A transcript that opens by its reference shows whose words it holds."""
    note = word("alice", "note", "visit-1")
    new = met().writes("alice", "note", visit="visit-1").records("alice", "visit-1", "rec-1")
    new.opens("bob", "rec-1", direct=True, surface="transcript", reading="text", words=(note,))
    (finding,) = foreign_text(new.ledger())
    assert (finding.viewer, finding.surface, finding.recording) == ("bob", "transcript", "rec-1")


def test_what_is_pushed_to_a_stranger_is_found() -> None:
    """By its words, or by the visit that it names; and only by the check of what is pushed."""
    new = met().hears("alice", PRESCRIPTION, refs=("con-1",)).hears("bob", refs=("con-1",)).hears("quin", PRESCRIPTION)
    found = pushed_foreign(new.ledger())
    assert [(each.viewer, each.degree) for each in found] == [("bob", "presented"), ("quin", "proved")]
    assert not foreign_text(new.ledger())
