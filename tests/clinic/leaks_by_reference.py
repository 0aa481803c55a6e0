"""The flaws that show by reference: the lists are right, but who has an id or a link is served what it stands for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from harness.clinic import flaws
from harness.media import reading

from .canaries import people_on
from .leaks import Observation, Stage, leaks, lists, plays, recorded, shown
from .people import Api

ALICE, BOB = 1, 2


def mallory_has_an_id(stage: Stage) -> Iterator[Observation]:
    """Mallory has the id of Alice's video, and tries every address of it."""
    alice, mallory = stage.patient("alice"), stage.patient("mallory")
    alices = recorded(alice, stage.clinician("chen"), ALICE, caption="It hurts.")
    thumbnail = mallory.get(f"/replays/{alices}/thumbnail")
    yield "Mallory lists Alice's video", alices in lists(mallory)
    yield "Mallory reads the page of Alice's video", mallory.get(f"/replays/{alices}").status == 200
    yield "Mallory plays Alice's video", plays(mallory, alices) == {ALICE}
    yield "Mallory sees Alice's face", thumbnail.status == 200 and people_on(thumbnail.body) == {ALICE}
    yield "Mallory reads what Alice said", b"It hurts." in mallory.get(f"/replays/{alices}/transcript").body
    yield "Mallory makes a link to it", mallory.post(f"/replays/{alices}/link").status == 201


leaks(flaws.DETAIL_V2_UNCHECKED, "Mallory reads the page of Alice's video")(mallory_has_an_id)
leaks(flaws.BYTES_OPEN, "Mallory plays Alice's video")(mallory_has_an_id)
leaks(flaws.THUMBNAIL_OPEN, "Mallory sees Alice's face")(mallory_has_an_id)
leaks(flaws.TRANSCRIPT_OPEN, "Mallory reads what Alice said")(mallory_has_an_id)


@leaks(flaws.SIGNED_LINK_UNBOUND, "Bob opens Alice's link", "Somebody opens it who is not signed in")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice makes a link, and others get hold of it."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    url = alice.ok(f"/replays/{alices}/link")["url"]
    anybody = Api(stage.clinic.url)
    yield "Alice cannot open her link", shown(alice.get(url)) != {ALICE}
    yield "Bob opens Alice's link", shown(bob.get(url)) == {ALICE}
    yield "Somebody opens it who is not signed in", shown(anybody.call("GET", url)) == {ALICE}
    yield "Bob plays Alice's video", plays(bob, alices) != set()
    anybody.close()


@leaks(flaws.REVOKED_SHARE_STILL_OPENS, "Bob plays it after Alice has revoked the share")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice shares with Bob, who plays it; then she revokes it."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    yield "Bob plays it before it is shared", plays(bob, alices) != set()
    is_shared = alice.post(f"/replays/{alices}/shares", {"carer": bob.username}).status == 204
    yield "Bob cannot play it while it is shared", is_shared and plays(bob, alices) != {ALICE}
    alice.delete(f"/replays/{alices}/shares/{bob.username}")
    yield "Bob lists it after Alice has revoked the share", alices in lists(bob)
    yield "Bob plays it after Alice has revoked the share", plays(bob, alices) == {ALICE}


@leaks(
    flaws.KILL_SWITCH_SPARES_BYTES,
    "Alice plays her video while replays are switched off",
    "Alice reads its transcript while replays are switched off",
)
def _(stage: Stage) -> Iterator[Observation]:
    """Alice asks for her own video by its id, and for Bob's."""
    alice, chen = stage.patient("alice"), stage.clinician("chen")
    alices, bobs = recorded(alice, chen, ALICE), recorded(stage.patient("bob"), chen, BOB)
    is_off = alice.get("/replays").refusal == (403, "replays-off") if not lists(alice) else False
    transcript = alice.get(f"/replays/{alices}/transcript")
    yield (
        "Alice reads its page while replays are switched off",
        is_off and alice.get(f"/replays/{alices}").status == 200,
    )
    yield "Alice plays her video while replays are switched off", is_off and plays(alice, alices) == {ALICE}
    yield "Alice reads its transcript while replays are switched off", is_off and transcript.status == 200
    yield "Alice plays Bob's video", plays(alice, bobs) != set()


@leaks(flaws.EXPORT_MIXES_USERS, "Alice's export holds Bob's video")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob see Chen on one day, and Alice exports her replays."""
    alice, chen = stage.patient("alice"), stage.clinician("chen")
    recorded(alice, chen, ALICE)
    bobs = recorded(stage.patient("bob"), chen, BOB)
    with zipfile.ZipFile(io.BytesIO(alice.get("/replays/export").body)) as archive:
        media = [reading.read(archive.read(name)) for name in archive.namelist() if name.endswith(".webm")]
    people = {sighting.canary.user for each in media for sighting in each.canaries}
    yield "Alice's export lacks her own", ALICE not in people
    yield "Alice's export holds Bob's video", BOB in people
    yield "Alice lists Bob's video", bobs in lists(alice)
