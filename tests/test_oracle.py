"""The oracle over whole trials: merged verdicts, and properties that no trial may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import ALL, foreign_media
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Verdict
from harness.oracle import judge
from tests.checks.stories import CAST, Story, canary, item, sound

VISITS = ("visit-1", "visit-2")
STRANGER = "00000000000000000666"
CANARIES = [canary(actor, visit) for actor in CAST for visit in VISITS] + [STRANGER]


@st.composite
def trials(draw: st.DrawFn) -> Story:
    """Draw a trial in which anybody may have been shown and served anything, and any call may have been silent."""
    new = sound(*draw(st.sampled_from([(), ("replays",)])))
    for _ in range(draw(st.integers(0, 4))):
        actor = draw(st.sampled_from(list(CAST)))
        shown = draw(st.lists(st.sampled_from(["rec-1", "rec-2", "rec-8", "rec-9"]), max_size=3))
        elsewhere = draw(st.sampled_from([None, "visit-1 of trial 0000beef"]))
        outcome = draw(st.sampled_from(Outcome))
        new.lists(actor, *(item(recording, elsewhere=elsewhere) for recording in shown), outcome=outcome)
        for recording in shown:
            new.opens(
                actor,
                recording,
                *draw(st.lists(st.sampled_from(CANARIES), max_size=2)),
                reading=draw(st.sampled_from(["canaries", "partial", "unreadable"])),
                direct=draw(st.booleans()),
                outcome=draw(st.sampled_from(Outcome)),
            )
    return new


def accused(ledger: Ledger) -> set[str]:
    """Return the viewers whom foreign-media makes the trial invalid for."""
    return {finding.viewer for finding in foreign_media(ledger) if finding.verdict is Verdict.INVALID}


@pytest.mark.parametrize("not_offered", [(), ("replays",), ("switch-to-video",)])
def test_a_sound_trial_is_valid(not_offered: tuple[str, ...]) -> None:
    """What proves that nobody saw foreign media is valid, with nothing to say."""
    judgement = judge(sound(*not_offered).closed())
    assert (judgement.verdict, judgement.findings) == (Verdict.VALID, ())


def test_an_empty_ledger_is_unknown() -> None:
    """A trial that never was proves nothing."""
    assert judge(Ledger()).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
def test_every_call_of_a_sound_trial_is_needed(not_offered: tuple[str, ...]) -> None:
    """A ledger that was cut off anywhere before its last entry is never valid."""
    whole = list(sound(*not_offered).closed())
    for length in range(len(whole)):
        assert judge(Ledger(entries=whole[:length])).verdict is not Verdict.VALID, length


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN])
def test_a_silent_question_is_never_valid(outcome: Outcome, not_offered: tuple[str, ...]) -> None:
    """Whichever answer to the oracle is lost, the trial is not valid."""
    whole = list(sound(*not_offered).closed())
    for lost in (entry for entry in whole if entry.of is not None and entry.action in (Action.LIST, Action.OPEN)):
        silent = Entry(lost.seq, 0.0, lost.actor, lost.action, outcome, whole[lost.of or 0].data, lost.of)
        ledger = Ledger(entries=[silent if entry is lost else entry for entry in whole])
        assert judge(ledger).verdict is not Verdict.VALID, lost


@pytest.mark.parametrize("gone", [Action.FLAGS, Action.STORY, Action.RECORDINGS, Action.LIST, Action.OPEN])
def test_a_trial_without_a_kind_of_evidence_is_never_valid(gone: Action) -> None:
    """Whatever is left out for one actor or for all, the trial is not valid."""
    for not_offered in ((), ("replays",)):
        for actor in ("", *CAST):
            whole = Story(sound(*not_offered).closed())
            cut = whole.without(gone, actor)
            if len(cut.ledger()) < len(whole.ledger()):
                assert judge(cut.ledger()).verdict is not Verdict.VALID, actor


def test_the_worst_finding_comes_first_and_decides() -> None:
    """A leak beats a doubt, however the checks are ordered."""
    new = sound().lists("alice", item("rec-9"), item("rec-2")).told("broke")
    for checks in (ALL, tuple(reversed(ALL))):
        judgement = judge(new.closed(), checks)
        assert judgement.verdict is Verdict.INVALID
        order = [finding.verdict for finding in judgement.findings]
        assert order == sorted(order, key=[Verdict.INVALID, Verdict.UNKNOWN].index)
        assert Verdict.UNKNOWN in order


def test_no_checks_find_nothing() -> None:
    """An oracle that is asked nothing has nothing against a trial."""
    assert judge(sound().ledger(), ()).verdict is Verdict.VALID


@given(trials())
def test_the_judgement_is_the_merge_of_its_checks(new: Story) -> None:
    """Every check's findings are in the judgement, no others, and the worst verdict is its own."""
    ledger = new.closed()
    judgement = judge(ledger)
    apart = [finding for check in ALL for finding in check(ledger)]
    assert sorted(map(repr, judgement.findings)) == sorted(map(repr, apart))
    assert judgement.verdict is Verdict.merge(finding.verdict for finding in apart)


@given(trials(), st.sampled_from(list(CAST)), st.sampled_from(VISITS), st.sampled_from([Outcome.OK, Outcome.UNKNOWN]))
def test_more_entitlement_never_accuses(new: Story, viewer: str, visit: str, outcome: Outcome) -> None:
    """A part in a consultation, certain or possible, takes accusations of foreign media away and adds none."""
    before = accused(new.ledger())
    assert accused(Story(new.ledger()).joins(viewer, visit, outcome).ledger()) <= before


@given(trials())
def test_fewer_own_sightings_never_make_a_trial_valid(new: Story) -> None:
    """A trial that was not valid does not become so by an own sighting that is taken away."""
    whole = new.closed()
    for entry in [entry for entry in whole.of(Action.OPEN) if not entry.data["direct"]]:
        own = {canary(entry.actor, visit) for visit in VISITS}
        if not own & {sighting["value"] for sighting in entry.data["content"]["canaries"]}:
            continue
        left = [each for each in entry.data["content"]["canaries"] if each["value"] not in own]
        data = {**entry.data, "content": {**entry.data["content"], "canaries": left}}
        blind = Entry(entry.seq, 0.0, entry.actor, entry.action, entry.outcome, data, entry.of)
        ledger = Ledger(entries=[blind if each is entry else each for each in whole])
        if judge(whole).verdict is not Verdict.VALID:
            assert judge(ledger).verdict is not Verdict.VALID


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
def test_no_cut_of_a_sound_ledger_accuses(not_offered: tuple[str, ...]) -> None:
    """A run that was killed anywhere is unknown: what it did not come to see is not missing."""
    entries = list(sound(*not_offered).closed())
    verdicts = [judge(Ledger(entries=entries[:end])).verdict for end in range(len(entries))]
    assert set(verdicts) == {Verdict.UNKNOWN}
    assert judge(Ledger(entries=entries)).verdict is Verdict.VALID
