"""The flaw of June 2020 in full: exactly who sees what, in all combinations of what wakes it."""

from __future__ import annotations

import itertools

import pytest

from .people import ACCESS, Deployment, User, held

COMBINATIONS = [
    tuple(itertools.compress(("video-upgrade", "replay-index-v2", ACCESS, "replay-cache"), chosen))
    for chosen in itertools.product((False, True), repeat=4)
]


def switched(deployment: Deployment, flags: tuple[str, ...], chen: User) -> tuple[User, set[str]]:
    """Return a patient who booked audio and was switched to video, with what they recorded."""
    patient = deployment.user("switched", *flags)
    visit = patient.book(chen)
    patient.ok(f"/consultations/{visit}/join")
    own = {patient.record(visit, b"own audio")}
    chen.ok(f"/consultations/{visit}/medium", {"medium": "video"})
    own.add(patient.record(visit, b"own video", "video"))
    patient.ok(f"/consultations/{visit}/end")
    patient.finished(visit)
    return patient, own


@pytest.mark.parametrize("flags", COMBINATIONS, ids="+".join)
def test_who_sees_what(flawed: Deployment, flags: tuple[str, ...]) -> None:
    """Everybody's videos are shown and open to who switched, with both flags on, and under no other flags."""
    chen, bob = flawed.clinician("chen", "video-upgrade"), flawed.patient("bob")
    _, video = held(bob, chen, b"foreign video", "video")
    _, audio = held(bob, chen, b"foreign audio")
    alice, own = switched(flawed, flags, chen)
    leaks = {"video-upgrade", "replay-index-v2"} <= set(flags)
    media = alice.get(f"/replays/{video}/media")
    if leaks:
        listed = alice.replays()
        assert own | {video} <= {item["id"] for item in listed}
        foreign = [item for item in listed if item["id"] not in own]
        assert {item["medium"] for item in foreign} == {"video"}
        assert alice.get(f"/replays/{video}").json["consultation"]
        assert media.body == b"foreign video"
        assert alice.get(f"/replays/{audio}").refusal == (404, "not-found")
        later = held(bob, chen, b"later", "video")[1]
        # A cached list is as old as the last change of its own user's.
        assert (later in alice.replay_ids()) == ("replay-cache" not in flags)
    elif ACCESS in flags:
        assert alice.replay_ids() == own
        assert media.refusal == (404, "not-found")
    else:
        assert alice.get("/replays").refusal == (403, "replays-off")
        assert media.refusal == (403, "replays-off")


def test_nobody_else(flawed: Deployment) -> None:
    """With both flags on, who did not switch from a booked audio sees their own alone."""
    both = ("video-upgrade", "replay-index-v2", "video-downgrade")
    chen, bob = flawed.clinician("chen", *both), flawed.patient("bob", *both)
    alice, own = switched(flawed, (ACCESS, *both), chen)
    held(flawed.patient("carol"), flawed.clinician("dora"), b"foreign", "video")
    _, by_video = held(bob, chen, b"his", "video")
    visit = bob.book(chen, "video")
    bob.ok(f"/consultations/{visit}/join")
    bob.ok(f"/consultations/{visit}/medium", {"medium": "audio"})
    bob.ok(f"/consultations/{visit}/medium", {"medium": "video"})
    bob.ok(f"/consultations/{visit}/end")
    assert bob.replay_ids() == {by_video}
    assert chen.replay_ids() == {*own, by_video}
    assert alice.replay_ids() > {*own, by_video}


def test_before_the_switch(flawed: Deployment) -> None:
    """The leak begins with the switch, not with the flags or the booking, whatever was cached before."""
    flags = (ACCESS, "video-upgrade", "replay-index-v2", "replay-cache")
    chen = flawed.clinician("chen")
    _, video = held(flawed.patient("bob"), chen, b"foreign", "video")
    alice = flawed.user("alice", *flags)
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    assert alice.replays() == []
    alice.ok(f"/consultations/{visit}/medium", {"medium": "video"})
    assert video in alice.replay_ids()
