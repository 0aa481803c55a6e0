"""The flaws that show in the content alone: the list, the title and the address are one's own, the picture is not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from harness.clinic import flaws

from .canaries import clip, people_on, read
from .leaks import Observation, Stage, end, leaks, lists, meet, plays, recorded, shown
from .people import Answer, User

ALICE, BOB = 1, 2
TO_ALICE, TO_BOB = 3, 4
"""What the clinician says and shows in either call."""
ROUNDS = 8


@leaks(flaws.RECORDER_ID_COLLISION, "Alice's recording holds Bob")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice is recorded by audio, and after her Bob by video."""
    chen = stage.clinician("chen")
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, chen, ALICE, medium="audio")
    bobs = recorded(bob, chen, BOB)
    yield "Alice lists Bob's video", bobs in lists(alice)
    yield "Alice's recording holds Bob", plays(alice, alices) == {BOB}
    yield "Bob's recording holds Alice", plays(bob, bobs) == {ALICE}


def switch_at_once(visits: dict[str, User]) -> None:
    """Let the patients of these consultations ask for video at the same moment."""
    ready = Barrier(len(visits), timeout=10)

    def switch(visit: str) -> Answer:
        ready.wait()
        return visits[visit].post(f"/consultations/{visit}/medium", {"medium": "video"})

    with ThreadPoolExecutor(len(visits)) as pool:
        list(pool.map(switch, visits))


@leaks(flaws.SWITCHES_SWAP_TRACKS, "Alice's consultation holds Bob", "Bob's consultation holds Alice")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob, each with a clinician of their own, switch to video at the same moment, perhaps several times."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    clinicians = stage.clinician("chen"), stage.clinician("dora")
    for _ in range(ROUNDS):
        first, second = meet(alice, clinicians[0], "audio"), meet(bob, clinicians[1], "audio")
        switch_at_once({first: alice, second: bob})
        alice.record(first, clip(ALICE))
        bob.record(second, clip(BOB))
        end(first, alice)
        end(second, bob)
        alices = {person for each in end_of(alice, first) for person in plays(alice, each)}
        bobs = {person for each in end_of(bob, second) for person in plays(bob, each)}
        yield "Alice's consultation holds Bob", BOB in alices
        yield "Bob's consultation holds Alice", ALICE in bobs
        if BOB in alices:
            return


def end_of(user: User, visit: str) -> list[str]:
    """Return the recordings of an ended consultation that somebody may replay."""
    return [item["id"] for item in user.replays() if item["consultation"] == visit]


@leaks(flaws.LATE_UPLOAD_TO_LATEST, "Bob hears what Chen said to Alice", "Alice misses what Chen said to her")
def _(stage: Stage) -> Iterator[Observation]:
    """Chen holds two calls at once, and what was said in the first is uploaded late."""
    alice, bob, chen = stage.patient("alice"), stage.patient("bob"), stage.clinician("chen")
    first = meet(alice, chen, "audio")
    upload = chen.begin(first)
    second = meet(bob, chen, "audio")
    said = clip(TO_ALICE)
    chen.chunk(upload, 0, said)
    assert chen.complete(upload, [said]).status == 201
    chen.record(second, clip(TO_BOB))
    end(first, alice)
    end(second, bob)
    alices = {person for each in end_of(alice, first) for person in plays(alice, each)}
    bobs = {person for each in end_of(bob, second) for person in plays(bob, each)}
    yield "Bob hears what Chen said to Alice", TO_ALICE in bobs
    yield "Alice misses what Chen said to her", TO_ALICE not in alices
    yield "Alice hears what Chen said to Bob", TO_BOB in alices
    yield "Bob misses what Chen said to him", TO_BOB not in bobs


@leaks(flaws.COMPOSITE_OF_ANOTHER_ROOM, "Alice's composite holds what Chen showed to Bob")
def _(stage: Stage) -> Iterator[Observation]:
    """Chen holds two calls at once, and Alice's ends first."""
    alice, bob, chen = stage.patient("alice"), stage.patient("bob"), stage.clinician("chen")
    first, second = meet(alice, chen), meet(bob, chen)
    alice.record(first, clip(ALICE, "video"), "video")
    chen.record(first, clip(TO_ALICE, "video"), "video")
    chen.record(second, clip(TO_BOB, "video"), "video")
    end(first, alice)
    composites = [item["id"] for item in alice.replays() if item["layout"]]
    people = {person for each in composites for person in plays(alice, each)}
    own = {person for each in end_of(alice, first) if each not in composites for person in plays(alice, each)}
    yield "Alice's composite holds what Chen showed to Bob", TO_BOB in people
    yield "Alice's other recordings hold what Chen showed to Bob", TO_BOB in own
    yield "Alice is missing in her composite", bool(composites) and ALICE not in people


@leaks(flaws.WRONG_THUMBNAIL, "Alice's recording has Bob's face")
def _(stage: Stage) -> Iterator[Observation]:
    """Bob is recorded by video, and after him Alice."""
    alice, bob, chen = stage.patient("alice"), stage.patient("bob"), stage.clinician("chen")
    recorded(bob, chen, BOB)
    alices = recorded(alice, chen, ALICE)
    yield "Alice's recording has Bob's face", people_on(alice.get(f"/replays/{alices}/thumbnail").body) == {BOB}
    yield "Alice's recording holds Bob", plays(alice, alices) != {ALICE}


@leaks(flaws.KEEPS_FILMING, "What is called a recording by audio shows Alice")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice talks by audio, switches to video and back, where either is offered, and is recorded before and after."""
    alice, chen = stage.patient("alice"), stage.clinician("chen")
    visit = meet(alice, chen, "audio")
    alice.record(visit, clip(ALICE))
    if alice.post(f"/consultations/{visit}/medium", {"medium": "video"}).status == 200:
        alice.record(visit, clip(ALICE, "video"), "video")
    chen.record(visit, clip(TO_ALICE))
    alice.post(f"/consultations/{visit}/medium", {"medium": "audio"})
    alice.record(visit, clip(ALICE))
    end(visit, alice)
    own = {each: alice.get(f"/replays/{each}/media") for each in end_of(alice, visit)}
    by_audio = [item["id"] for item in alice.replays() if item["medium"] == "audio"]
    seen = {each: {sighting.track for sighting in read(own[each].body).canaries} for each in by_audio}
    yield "What is called a recording by audio shows Alice", any("video" in tracks for tracks in seen.values())
    yield "What was recorded before she was filmed shows Alice", "video" in seen[by_audio[-1]]
    yield "What is called a recording by audio is not heard", any("audio" not in tracks for tracks in seen.values())
    yield "Somebody else is in it", any(not shown(each) <= {ALICE, TO_ALICE} for each in own.values())
