"""The flaws that show in a list: somebody is offered recordings that are not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clinic import flaws

from .flag_server import snapshot
from .leaks import Observation, Stage, end, leaks, lists, meet, new_number, plays, recorded
from .staff import until

ALICE, BOB = 1, 2
OTHERS_INSURER = "insurer:red"


def switch_to_video(stage: Stage) -> Iterator[Observation]:
    """Bob books a video call; Alice books audio, switches to video and is recorded, if the switch is offered."""
    chen = stage.clinician("chen")
    bob, alice = stage.patient("bob"), stage.patient("alice")
    bobs = recorded(bob, chen, BOB)
    visit = meet(alice, chen, "audio")
    alice.post(f"/consultations/{visit}/medium", {"medium": "video"})
    medium = alice.get(f"/consultations/{visit}").json["medium"]
    alice.record(visit, b"hers", medium)
    (alices,) = end(visit, alice)
    yield "Alice lists Bob's video", bobs in lists(alice)
    yield "Alice plays Bob's video", plays(alice, bobs) == {BOB}
    yield "Bob lists Alice's video", alices in lists(bob)
    yield "Bob plays Alice's video", bob.get(f"/replays/{alices}/media").body == b"hers"
    yield "Alice misses her own", alices not in lists(alice)


leaks(flaws.VIDEO_BRANCH_SKIPS_OWNER, "Alice lists Bob's video", "Alice plays Bob's video")(switch_to_video)
leaks(flaws.NULL_OWNER_IS_EVERYBODYS, "Bob lists Alice's video", "Bob plays Alice's video")(switch_to_video)


@leaks(flaws.LIST_BY_CLINICIAN_AND_DAY, "Alice lists what Chen and Bob recorded", "Alice plays it")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob see Chen on one day, and Carol sees Dora."""
    chen, dora = stage.clinician("chen"), stage.clinician("dora")
    alice = stage.patient("alice")
    recorded(alice, chen, ALICE)
    bobs, carols = recorded(stage.patient("bob"), chen, BOB), recorded(stage.patient("carol"), dora, 3)
    yield "Alice lists what Chen and Bob recorded", bobs in lists(alice)
    yield "Alice plays it", plays(alice, bobs) == {BOB}
    yield "Alice lists what Dora and Carol recorded", carols in lists(alice)


@leaks(flaws.CACHE_KEY_WITHOUT_USER, "Bob is shown Alice's list")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice looks at her list, and then Bob at his."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    yield "Alice misses her own", alices not in lists(alice)
    yield "Bob is shown Alice's list", alices in lists(bob)
    yield "Bob plays Alice's video", plays(bob, alices) != set()


@leaks(flaws.CACHE_KEY_WITHOUT_FLAGS, "Alice is shown her list while replays are switched off")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice looks at her list, replay access is switched off, and she looks again."""
    alice = stage.patient("alice")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    yield "Alice misses her own", alices not in lists(alice)
    before = stage.server.features
    stage.server.serve(snapshot(for_nobody=("replay-access",)))
    until(lambda: alice.get("/me/features").json["replay-access"] == "off")
    yield "Alice is shown her list while replays are switched off", alices in lists(alice)
    yield "Alice plays her video while replays are switched off", plays(alice, alices) != set()
    stage.server.serve(before)
    until(lambda: alice.get("/me/features").json["replay-access"] == "on")


@leaks(flaws.INSURER_IGNORED_ON_V2, "Alice lists Bob's video", "Alice plays Bob's video")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob have one member number, each of another insurer."""
    number = new_number()
    alice = stage.patient("alice", payer="insurer:blue", member_number=number)
    bob = stage.patient("bob", payer=OTHERS_INSURER, member_number=number)
    carol = stage.patient("carol", payer=OTHERS_INSURER)
    chen = stage.clinician("chen")
    bobs, carols = recorded(bob, chen, BOB), recorded(carol, chen, 3)
    yield "Alice lists Bob's video", bobs in lists(alice)
    yield "Alice plays Bob's video", plays(alice, bobs) == {BOB}
    yield "Alice lists Carol's video", carols in lists(alice)


@leaks(flaws.SEARCH_SKIPS_OWNER, "Alice finds Bob's video")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice searches for her clinician, whom Bob has seen, too."""
    chen, alice = stage.clinician("chen"), stage.patient("alice")
    alices, bobs = recorded(alice, chen, ALICE), recorded(stage.patient("bob"), chen, BOB)
    answer = alice.get("/replays/search?q=chen")
    found = {item["id"] for item in answer.json["items"]} if answer.status == 200 else {alices}
    yield "Alice does not find her own", alices not in found
    yield "Alice finds Bob's video", bobs in found
    yield "Alice lists Bob's video", bobs in lists(alice)
    yield "Alice plays Bob's video", plays(alice, bobs) != set()


@leaks(flaws.BADGE_COUNTS_EVERYBODYS, "Alice's badge counts Bob's video")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob have one recording each, of one clinician."""
    chen, alice = stage.clinician("chen"), stage.patient("alice")
    alices, bobs = recorded(alice, chen, ALICE), recorded(stage.patient("bob"), chen, BOB)
    yield "Alice's badge does not count her own", alice.get("/replays/count").json["count"] < 1
    yield "Alice's badge counts Bob's video", alice.get("/replays/count").json["count"] > 1
    yield "Alice lists Bob's video", lists(alice) != {alices}
    yield "Alice plays Bob's video", plays(alice, bobs) != set()
