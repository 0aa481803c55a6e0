"""The flaws that show elsewhere: in what is pushed, between two requests, in what is missing, in other systems."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from harness.clinic import flaws

from .leaks import Observation, Stage, end, leaks, lists, meet, new_number, plays, recorded
from .people import TIMEOUT_S, Api, User

ALICE, BOB = 1, 2
ROUNDS = 3
REQUESTS = 150


@contextmanager
def listening(user: User) -> Iterator[Iterator[dict[str, Any]]]:
    """Listen to somebody's notices as they are pushed, from now on."""
    connection = http.client.HTTPConnection(urlsplit(user.api.url).netloc, timeout=TIMEOUT_S)
    connection.request("GET", "/notices/stream", headers={"Authorization": f"Bearer {user.api.token}"})
    stream = connection.getresponse()
    lines = (stream.readline() for _ in itertools.count())
    events = (json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: "))
    assert next(events) == {"type": "ready"}
    yield events
    connection.close()


@leaks(flaws.LIVE_TOPIC_UNFILTERED, "Bob is pushed a notice of Alice's consultation")
def _(stage: Stage) -> Iterator[Observation]:
    """Bob listens while Alice books Chen; later comes a notice of his own."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    chen, dora = stage.clinician("chen"), stage.clinician("dora")
    his = meet(bob, dora)
    with listening(bob) as events:
        hers = alice.book(chen)
        dora.ok(f"/consultations/{his}/end")
        pushed = []
        while his not in pushed:
            pushed.append(next(events)["consultation"])
    yield "Bob is pushed a notice of Alice's consultation", hers in pushed
    inbox = [notice["consultation"] for notice in bob.get("/notices").json["items"]]
    yield "Bob's inbox has a notice of Alice's consultation", hers in inbox


@leaks(flaws.SHARED_CURRENT_USER, "Somebody is answered as if they were another")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice and Bob ask who they are again and again at the same time, each from two connections."""
    stop = Event()

    def ask(user: User) -> bool:
        mine = Api(user.api.url, user.api.token)
        for _ in range(REQUESTS):
            if mine.call("GET", "/me").json["username"] != user.username:
                stop.set()
            if stop.is_set():
                break
        mine.close()
        return stop.is_set()

    people = [stage.patient("alice"), stage.patient("bob")] * 2
    with ThreadPoolExecutor(len(people)) as pool:
        yield "Somebody is answered as if they were another", any(pool.map(ask, people))


@leaks(flaws.EDGE_STORES_PRIVATE, "Bob is served Alice's list")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice looks at her list and Bob at his a moment later, at the same address."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    for n in range(ROUNDS):
        # An address that nobody has asked for, and a list that is the same.
        address = f"/replays?round={n}"
        answers = [user.get(address) for user in (alice, bob)]
        is_served = alices in answers[1].body.decode()
        yield "Bob is served Alice's list", is_served
        if is_served:
            break
    yield "Bob plays Alice's video", plays(bob, alices) != set()


@leaks(flaws.PHANTOM_OF_RETRY, "Alice lists a recording that nobody made", "It holds nothing")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice sends one recording."""
    alice = stage.patient("alice")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    others = lists(alice) - {alices}
    yield "Alice misses her own", plays(alice, alices) != {ALICE}
    yield "Alice lists a recording that nobody made", bool(others)
    yield "It holds nothing", any(alice.get(f"/replays/{each}/media").body == b"" for each in others)


@leaks(flaws.FILED_TWICE, "Alice lists what she sent a second time")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice sends one recording, which is played from what is listed."""
    alice = stage.patient("alice")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    others = lists(alice) - {alices}
    yield "Alice misses her own", plays(alice, alices) != {ALICE}
    yield "Alice lists what she sent a second time", any(plays(alice, each) == {ALICE} for each in others)
    yield "Alice lists what she never sent", any(plays(alice, each) != {ALICE} for each in others)


@leaks(flaws.LOST_WHEN_SWITCH_FAILS, "Alice misses what was recorded before she asked to switch")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice asks to switch to video, which may be refused, and is recorded before that and after."""
    alice, chen = stage.patient("alice"), stage.clinician("chen")
    visit = meet(alice, chen, "audio")
    before = alice.record(visit, b"before")
    alice.finished(visit)
    alice.post(f"/consultations/{visit}/medium", {"medium": "video"})
    after = alice.record(visit, b"after")
    end(visit, alice)
    yield "Alice misses what was recorded before she asked to switch", before not in lists(alice)
    yield "Alice misses what was recorded after she asked to switch", after not in lists(alice)


@leaks(
    flaws.WORKER_DEFAULT_TENANT,
    "Alice, who is insured privately, misses her video",
    "Bob, who is not, lists it",
    "Bob plays it",
)
def _(stage: Stage) -> Iterator[Observation]:
    """Alice is privately insured, and Bob has her number at the public practice."""
    number = new_number()
    alice = stage.patient("alice", payer="insurer:blue", member_number=number)
    bob = stage.patient("bob", payer="public:riverside", member_number=number)
    chen = stage.clinician("chen")
    alices, bobs = recorded(alice, chen, ALICE), recorded(bob, chen, BOB)
    yield "Alice, who is insured privately, misses her video", alices not in lists(alice)
    yield "Bob, who is not, misses his own", bobs not in lists(bob)
    yield "Bob, who is not, lists it", alices in lists(bob)
    yield "Bob plays it", plays(bob, alices) == {ALICE}


@leaks(flaws.OPEN_WHILE_FLAGS_ARE_DOWN, "Alice lists her video while nobody can say that she may", "Alice plays it")
def _(stage: Stage) -> Iterator[Observation]:
    """The flag server has never answered since the clinic started, so that every flag is off."""
    alice, bob = stage.patient("alice"), stage.patient("bob")
    alices = recorded(alice, stage.clinician("chen"), ALICE)
    yield "Alice lists her video while nobody can say that she may", alices in lists(alice)
    yield "Alice plays it", plays(alice, alices) == {ALICE}
    yield "Bob lists it", alices in lists(bob)


@leaks(flaws.PRESCRIPTION_TO_WRONG_PHARMACY, "Alice's prescription is read at Bob's pharmacy", "Alice's has none")
def _(stage: Stage) -> Iterator[Observation]:
    """Alice chooses a pharmacy and then Bob another one; Chen prescribes something to Alice."""
    alice, bob, chen = stage.patient("alice"), stage.patient("bob"), stage.clinician("chen")
    oak, elm = f"oak-{new_number()}", f"elm-{new_number()}"
    at_oak, at_elm = stage.pharmacist("olga", oak), stage.pharmacist("emil", elm)
    for patient, pharmacy in ((alice, oak), (bob, elm)):
        assert patient.put("/me/pharmacy", {"pharmacy": pharmacy}).status == 200
    visit = meet(alice, chen)
    issued = chen.ok(f"/consultations/{visit}/prescriptions", {"medicine": "Placebo", "dose": "once"})["id"]
    read = {
        user.username: [item["id"] for item in user.get("/prescriptions").json["items"]] for user in (at_oak, at_elm)
    }
    yield "Alice's prescription is read at Bob's pharmacy", issued in read[at_elm.username]
    yield "Alice's has none", issued not in read[at_oak.username]
    yield "Bob reads Alice's prescription", bob.get(f"/prescriptions/{issued}").status == 200


@leaks(flaws.METRICS_OF_PREVIOUS_PATIENT, "Under Bob's name Chen reads Alice's pulse")
def _(stage: Stage) -> Iterator[Observation]:
    """Chen looks at Alice's metrics and then at Bob's."""
    alice, bob, chen = stage.patient("alice"), stage.patient("bob"), stage.clinician("chen")
    for patient, pulse in ((alice, 61), (bob, 99)):
        meet(patient, chen)
        patient.ok("/metrics", {"kind": "pulse", "value": pulse, "unit": "1/min"})
    pages = [chen.get(f"/patients/{patient.username}/metrics").json for patient in (alice, bob)]
    values = [[item["value"] for item in page["items"]] for page in pages]
    yield "Under Alice's name Chen does not read hers", values[0] != [61]
    yield "Under Bob's name Chen reads Alice's pulse", (pages[1]["patient_name"], values[1]) == ("Bob", [61])
    yield "Bob reads Alice's pulse", bob.get("/metrics").json["items"][0]["value"] == 61
