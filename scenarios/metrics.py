from harness import Clinician, Patient, scenario


@scenario()
async def metrics_are_shown_under_the_right_name(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Alice and Bob measure at home; Chen, who treats both, is shown each one's values under their own name."""
    for patient in (alice, bob):
        await patient.measure()
        visit = await patient.book(chen, medium="audio")
        await visit.hold(patient, chen)
