"""Prescriptions: from the clinician to the patient's pharmacy, and to nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .people import Deployment, User
from .staff import account, live, pharmacist

PAPER = {"medicine": "Amoxicillin 500 mg", "dose": "one every 8 hours"}


def prescribed(patient: User, clinician: User, visit: str) -> str:
    """Prescribe and return the prescription's id."""
    made = clinician.ok(f"/consultations/{visit}/prescriptions", PAPER)
    assert made["patient"] == patient.username
    return str(made["id"])


def choose(patient: User, pharmacy: str) -> None:
    """Choose a pharmacy."""
    assert patient.api.call("PUT", "/me/pharmacy", {"pharmacy": pharmacy}).status == 200


def new_pharmacy(clinic: Deployment) -> tuple[str, User]:
    """Return a pharmacy that no other test knows, and who works there."""
    name = f"pharmacy-{secrets.token_hex(4)}"
    return name, pharmacist(clinic, name)


def ids(person: User) -> list[str]:
    """Return the ids of the prescriptions that somebody is shown."""
    return [item["id"] for item in person.get("/prescriptions").json["items"]]


def test_life(clinic: Deployment) -> None:
    """It is issued, seen by the patient, the clinician and the pharmacy, dispensed once, and the patient is told."""
    alice, chen, (pharmacy, paula) = clinic.patient("alice"), clinic.clinician("chen"), new_pharmacy(clinic)
    choose(alice, pharmacy)
    visit = live(alice, chen)
    made = prescribed(alice, chen, visit)
    for each in (alice, chen, paula):
        assert ids(each) == [made]
        shown = each.get(f"/prescriptions/{made}").json
        assert shown.items() >= {**PAPER, "status": "issued", "pharmacy": pharmacy, "patient_name": "Alice"}.items()
    dispensed = paula.ok(f"/prescriptions/{made}/dispense")
    assert dispensed["status"] == "dispensed"
    assert dispensed["dispensed_at"]
    assert paula.post(f"/prescriptions/{made}/dispense").refusal == (409, "dispensed")
    assert alice.get(f"/prescriptions/{made}").json == dispensed
    told = [(item["kind"], item["consultation"]) for item in alice.get("/notices").json["items"]]
    assert told == [("prescription-dispensed", visit), ("prescription-issued", visit)]


def test_who_prescribes(clinic: Deployment) -> None:
    """Only the clinician who has the consultation prescribes, once it has begun, to a patient with a pharmacy."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    pharmacy, paula = new_pharmacy(clinic)
    visit = alice.book(chen)
    path = f"/consultations/{visit}/prescriptions"
    assert chen.post(path, PAPER).refusal == (409, "not-begun")
    chen.ok(f"/consultations/{visit}/join")
    assert chen.post(path, PAPER).refusal == (409, "no-pharmacy")
    choose(alice, pharmacy)
    assert dora.post(path, PAPER).refusal == (404, "not-found")
    assert alice.post(path, PAPER).refusal == (403, "wrong-role")
    assert paula.post(path, PAPER).refusal == (404, "not-found")
    assert chen.post(path, {"medicine": "", "dose": "one"}).refusal == (422, "invalid-request")
    chen.ok(f"/consultations/{visit}/hand-over", {"clinician": dora.username})
    assert chen.post(path, PAPER).refusal == (403, "handed-over")
    made = prescribed(alice, dora, visit)
    assert chen.get(f"/prescriptions/{made}").refusal == (404, "not-found")
    dora.ok(f"/consultations/{visit}/end")
    assert prescribed(alice, dora, visit) in ids(dora)


def test_strangers(clinic: Deployment) -> None:
    """Another patient, another pharmacy and the same pharmacy's name in another region see nothing of it."""
    alice, chen, (pharmacy, paula) = clinic.patient("alice"), clinic.clinician("chen"), new_pharmacy(clinic)
    choose(alice, pharmacy)
    made = prescribed(alice, chen, live(alice, chen))
    _, elsewhere = new_pharmacy(clinic)
    for stranger in (clinic.patient("bob"), elsewhere, pharmacist(clinic, pharmacy, region="south")):
        assert ids(stranger) == []
        assert stranger.get(f"/prescriptions/{made}").refusal == (404, "not-found")
        assert stranger.post(f"/prescriptions/{made}/dispense").refusal in ((404, "not-found"), (403, "wrong-role"))
    assert alice.post(f"/prescriptions/{made}/dispense").refusal == (403, "wrong-role")
    assert ids(paula) == [made]


def test_limits(clinic: Deployment) -> None:
    """A consultation has at most 50 prescriptions, and a list comes in pages."""
    alice, chen, (pharmacy, paula) = clinic.patient("alice"), clinic.clinician("chen"), new_pharmacy(clinic)
    choose(alice, pharmacy)
    visit = live(alice, chen)
    made = [prescribed(alice, chen, visit) for _ in range(50)]
    assert chen.post(f"/consultations/{visit}/prescriptions", PAPER).refusal == (409, "too-many-prescriptions")
    made.append(prescribed(alice, chen, live(alice, chen)))
    first = paula.get("/prescriptions").json
    rest = paula.get(f"/prescriptions?cursor={first['next']}").json
    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert paula.get("/prescriptions?cursor=x").refusal == (422, "invalid-request")


def test_wrong_pharmacy(deploy: Callable[..., Deployment]) -> None:
    """The planted flaw sends a prescription to the pharmacy of whoever chose one and joined last."""
    clinic = deploy("--flaw", "prescription-to-wrong-pharmacy")
    alice, bob, chen = clinic.patient("alice"), account(clinic, "bob", "patient"), clinic.clinician("chen")
    (hers, right), (his, wrong) = new_pharmacy(clinic), new_pharmacy(clinic)
    choose(alice, hers)
    made = prescribed(alice, chen, live(alice, chen))
    assert ids(right) == [made]
    choose(bob, his)
    leaked = prescribed(alice, chen, live(alice, chen))
    assert (ids(right), ids(wrong)) == ([made], [leaked])
    assert wrong.get(f"/prescriptions/{leaked}").json["patient"] == alice.username
