"""What a recording must be: phantom-media, wrong-medium, duplicate-media, each with its near misses."""

import pytest

from harness.checks import duplicate_media, phantom_media, wrong_medium
from harness.ledger import Action, Outcome
from harness.model import Verdict
from tests.checks.stories import Story, canary, item, story

HERS, CHENS = canary("alice", "visit-1"), canary("chen", "visit-1")


def held() -> Story:
    """Return a trial in which Alice saw Chen, and two recordings are known."""
    return story().holds("alice", "visit-1").records("alice", "visit-1", "rec-1", "rec-2")


def test_a_replay_that_holds_nothing_is_a_phantom() -> None:
    """Everything that was emitted had arrived, and here is one recording more without anything in it."""
    (finding,) = phantom_media(held().opens("alice", "rec-2", reading="empty").ledger())
    assert (finding.verdict, finding.recording) == (Verdict.INVALID, "rec-2")
    assert finding.sentence == "alice's replay list held rec-2 of visit-1, which holds nothing"


def test_an_emission_that_timed_out_may_have_left_an_empty_replay() -> None:
    """Then nothing is proved either way."""
    new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1", Outcome.UNKNOWN)
    new.ends("visit-1").records("alice", "visit-1", "rec-1").opens("alice", "rec-1", reading="empty")
    (finding,) = phantom_media(new.ledger())
    assert finding.verdict is Verdict.UNKNOWN


def test_a_replay_of_a_visit_in_which_nobody_was_seen() -> None:
    """Whatever it holds was never emitted there."""
    new = (
        story().books("alice", "visit-1").joins("alice", "visit-1").ends("visit-1").records("alice", "visit-1", "rec-1")
    )
    new.lists("alice", item("rec-1"))
    (finding,) = phantom_media(new.opens("alice", "rec-1", HERS).ledger())
    assert finding.sentence.endswith("which is there although nobody was seen or heard")


def test_a_whole_replay_is_no_phantom() -> None:
    """Nor is one that a stranger opened, or that cannot be read."""
    new = held().opens("alice", "rec-1", HERS).opens("alice", "rec-2", reading="unreadable")
    assert not phantom_media(new.opens("bob", "rec-2", reading="empty", direct=True).ledger())


@pytest.mark.parametrize(
    ("called", "tracks", "why"),
    [
        ("audio", ["audio", "video"], "is called audio and has pictures"),
        ("video", ["audio"], "is called video and has no pictures"),
        ("audio", ["audio"], ""),
        ("video", ["video", "audio"], ""),
    ],
)
def test_a_recording_is_what_it_is_called(called: str, tracks: list[str], why: str) -> None:
    """Pictures where it is called video, and none where it is called audio."""
    new = story().holds("alice", "visit-1")
    new.call(
        "alice", Action.RECORDINGS, Outcome.OK, {"visit": "visit-1"}, items=[{"recording": "rec-1", "medium": called}]
    )
    found = wrong_medium(new.opens("alice", "rec-1", HERS, tracks=tracks).ledger())
    assert [each.sentence.removeprefix("rec-1 of visit-1, which alice opened, ") for each in found] == (
        [why] if why else []
    )


def in_two_parts(*order: str, overlap: bool = False) -> Story:
    """Return a trial in which Alice emitted twice, and a recording in which the parts stand in this order."""
    new = story().books("alice", "visit-1").joins("alice", "visit-1")
    ledger = new.ledger()
    first = ledger.intend("alice", Action.EMIT, visit="visit-1", medium="video", canary="1".zfill(20))
    if not overlap:
        ledger.conclude(first, Outcome.OK)
    second = ledger.intend("alice", Action.EMIT, visit="visit-1", medium="video", canary="2".zfill(20))
    ledger.conclude(second, Outcome.OK)
    if overlap:
        ledger.conclude(first, Outcome.OK)
    new.ends("visit-1").records("alice", "visit-1", "rec-1")
    return new.opens("alice", "rec-1", *(each.zfill(20) for each in order), tracks=["video"])


def test_parts_stand_in_the_order_in_which_they_were_made() -> None:
    """The first was over before the second began; where they overlap either may come first."""
    assert not wrong_medium(in_two_parts("1", "2").ledger())
    assert len(wrong_medium(in_two_parts("2", "1").ledger())) == 1
    assert not wrong_medium(in_two_parts("2", "1", overlap=True).ledger())


def test_the_same_media_twice_is_a_duplicate() -> None:
    """Two references, one emission: the packets are the same although the files differ."""
    new = (
        held()
        .opens("alice", "rec-1", HERS, sha256="a", packets="p")
        .opens("alice", "rec-2", HERS, sha256="b", packets="p")
    )
    (finding,) = duplicate_media(new.ledger())
    assert finding.sentence == "the same media of alice in visit-1 is there 2 times: rec-1, rec-2"


def test_a_retry_that_succeeded_twice_is_no_duplicate() -> None:
    """What was sent twice may be there twice, answered or not; a refused attempt does not count."""
    for outcome, count in ((Outcome.UNKNOWN, 0), (Outcome.INTENT, 0), (Outcome.OK, 0), (Outcome.FAIL, 1)):
        new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1", outcome)
        new.emits("alice", "visit-1").ends("visit-1").records("alice", "visit-1", "rec-1", "rec-2")
        new.opens("alice", "rec-1", HERS, packets="p").opens("alice", "rec-2", HERS, packets="p")
        assert len(duplicate_media(new.ledger())) == count


def test_a_composite_is_no_duplicate_of_its_parts() -> None:
    """It holds several people's media, and there is one of it; what two viewers open is one recording."""
    new = held().opens("alice", "rec-1", HERS, packets="p").opens("alice", "rec-2", HERS, CHENS, packets="q")
    assert not duplicate_media(new.opens("chen", "rec-2", HERS, CHENS, packets="q").ledger())


def test_a_refused_emission_left_nothing() -> None:
    """What is listed of a visit to which nothing came is a phantom; what may have come may be there."""
    for outcome, count in ((Outcome.FAIL, 1), (Outcome.UNKNOWN, 0), (Outcome.INTENT, 0)):
        new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1", outcome)
        new.ends("visit-1").records("alice", "visit-1", "rec-1").lists("alice", item("rec-1"))
        assert len(phantom_media(new.ledger())) == count


def test_a_first_attempt_without_an_answer_leaves_the_doubt() -> None:
    """Though the next one was refused."""
    new = story().books("alice", "visit-1").emits("alice", "visit-1", Outcome.UNKNOWN)
    new.emits("alice", "visit-1", Outcome.FAIL).ends("visit-1").records("alice", "visit-1", "rec-1")
    new.lists("alice", item("rec-1")).opens("alice", "rec-1", reading="empty")
    assert [finding.verdict for finding in phantom_media(new.ledger())] == [Verdict.UNKNOWN]


@pytest.mark.parametrize("ended", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_a_visit_that_may_still_run_may_be_listed(ended: Outcome) -> None:
    """Somebody may yet be seen in it; nor is a list judged that was asked for before the end."""
    new = story().books("alice", "visit-1").ends("visit-1", ended).records("alice", "visit-1", "rec-1")
    assert not phantom_media(new.lists("alice", item("rec-1")).ledger())
    new = story().books("alice", "visit-1").lists("alice", item("rec-1", "con-1")).ends("visit-1")
    assert not phantom_media(new.ledger())


def test_what_only_ones_own_list_tells_of_may_be_a_phantom() -> None:
    """The target did not say what was recorded; the list did."""
    new = story().holds("alice", "visit-1").lists("alice", item("rec-7", "con-1"))
    new.opens("alice", "rec-7", reading="empty")
    assert [finding.recording for finding in phantom_media(new.ledger())] == ["rec-7"]


def test_pictures_where_somebody_was_on_audio_only() -> None:
    """A canary that was sent as sound is not to be seen."""
    new = story().holds("alice", "visit-1").records("alice", "visit-1", "rec-1")
    sent = canary("alice", "visit-1", "audio")
    new.call("alice", Action.EMIT, Outcome.OK, {"visit": "visit-1", "medium": "audio", "canary": sent})
    (finding,) = wrong_medium(new.opens("alice", "rec-1", sent, tracks=["video"]).ledger())
    assert finding.sentence.endswith("has pictures where alice was on audio only")


def test_media_of_which_the_tracks_are_not_known_is_not_judged() -> None:
    """A ledger that is older than they are says nothing of them; what cannot be read says nothing at all."""
    assert not wrong_medium(held().opens("alice", "rec-1", HERS).ledger())
    assert not wrong_medium(held().opens("alice", "rec-1", reading="unreadable", tracks=["audio"]).ledger())


def test_a_part_that_was_sent_again_may_come_later() -> None:
    """The first part's second sending was not over when the second began: either may come first."""
    new = in_two_parts("2", "1")
    assert len(wrong_medium(new.ledger())) == 1
    for outcome in (Outcome.UNKNOWN, Outcome.INTENT, Outcome.OK):
        again = in_two_parts().call(
            "alice", Action.EMIT, outcome, {"visit": "visit-1", "medium": "video", "canary": "1".zfill(20)}
        )
        again.opens("alice", "rec-1", "2".zfill(20), "1".zfill(20), tracks=["video"])
        assert not wrong_medium(again.ledger())


def test_parts_of_several_people_have_no_order() -> None:
    """Nor have those of two tracks: each is compared with its like alone."""
    new = held().opens("alice", "rec-1", CHENS, HERS, tracks=["video"])
    assert not wrong_medium(new.ledger())


def test_two_composites_of_the_same_are_a_duplicate() -> None:
    """Whatever was sent twice, there is one of it."""
    new = held().emits("alice", "visit-1", Outcome.UNKNOWN)
    new.opens("alice", "rec-1", HERS, CHENS, packets="q").opens("alice", "rec-2", HERS, CHENS, packets="q")
    (finding,) = duplicate_media(new.ledger())
    assert finding.owner == "alice and chen"


def test_a_recording_of_two_parts_is_there_as_often_as_each_was_sent() -> None:
    """Two parts, each sent once: twice the same is one too many."""
    one, two = "1".zfill(20), "2".zfill(20)
    new = in_two_parts().records("alice", "visit-1", "rec-1", "rec-2")
    new.opens("alice", "rec-1", one, two, packets="p").opens("alice", "rec-2", one, two, packets="p")
    assert len(duplicate_media(new.ledger())) == 1


def test_other_packets_are_other_media() -> None:
    """The same canary coded anew may be another quality; without either hash nothing is the same."""
    new = held().opens("alice", "rec-1", HERS, packets="p").opens("alice", "rec-2", HERS, packets="q")
    assert not duplicate_media(new.ledger())
    assert not duplicate_media(held().opens("alice", "rec-1", HERS).opens("alice", "rec-2", HERS).ledger())
    hashed = held().opens("alice", "rec-1", HERS, sha256="s").opens("alice", "rec-2", HERS, sha256="s")
    assert len(duplicate_media(hashed.ledger())) == 1


def test_another_trials_media_is_told_as_foreign_alone() -> None:
    """How often it was sent is not known here."""
    stranger = "00000000000000000666"
    new = held().opens("alice", "rec-1", stranger, packets="p").opens("alice", "rec-2", stranger, packets="p")
    assert not duplicate_media(new.ledger())
