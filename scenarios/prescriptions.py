from harness import Clinician, Patient, Pharmacist, scenario


@scenario()
async def a_prescription_reaches_one_pharmacy(
    alice: Patient, bob: Patient, chen: Clinician, pia: Pharmacist, quin: Pharmacist
) -> None:
    """Alice and Bob have a pharmacy each; what Chen prescribes to one is never read at the other's."""
    await alice.choose_pharmacy(pia)
    await bob.choose_pharmacy(quin)
    for patient in (alice, bob):
        visit = await patient.book(chen, medium="audio")
        await visit.hold(patient, chen)
        await chen.prescribe(visit)
