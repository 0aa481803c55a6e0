"""The verbs of the clinic's users beyond the call, in a real clinic: each does what it says, and for its role alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.errors import TargetError
from harness.process import Service
from harness.targets.clinic import ClinicDriver

from .practices import REPLAYS, Practice, filmed, held, practice, tell

ALICE = 2
SHARING = (*REPLAYS, "carer-sharing")


@pytest.fixture(scope="module")
def clinic() -> Iterator[Service]:
    """Return a clinic without flaws."""
    with practice() as made:
        yield made


async def sees(hands: ClinicDriver) -> list[str]:
    """Return the recordings on somebody's replay list."""
    return [each.ref for each in await hands.replays()]


def test_introduce(clinic: Service) -> None:
    """Others read the name that a user was introduced by; one that is too long is refused when they enrol."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        alice = people.hands(people.account("alice"), "patient")
        alice.introduce("Alice " + "w" * 194)
        await alice.enrol()
        await alice.book(chen, "audio")
        assert "Alice " + "w" * 194 in (await clinician.look("agenda")).text
        bob = people.hands(people.account("bob"), "patient")
        bob.introduce("Bob " + "w" * 197)
        with pytest.raises(TargetError, match="422") as caught:
            await bob.enrol()
        assert caught.value.definite

    tell(clinic, story)


def test_sharing(clinic: Service) -> None:
    """A carer sees a recording from when it is shared until that is revoked; who does not care for her is refused."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient", *SHARING)
        account = people.account("carol", *SHARING)
        carol = people.hands(account, "carer")
        carol.care_for("alice")
        await carol.enrol()
        uncaring, _ = await people.person("carl", "carer", *SHARING)
        _, recording = await held(alice, clinician, chen, ALICE)
        assert await sees(carol) == []
        await alice.share(recording, account)
        assert await sees(carol) == [recording]
        assert await carol.open(recording) == await alice.open(recording)
        await alice.revoke(recording, account)
        assert await sees(carol) == []
        with pytest.raises(TargetError, match="not-found"):
            await carol.open(recording)
        with pytest.raises(TargetError, match="not-found"):
            await alice.share(recording, uncaring)

    tell(clinic, story)


def test_hand_over(clinic: Service) -> None:
    """The clinician to whom a call is handed over goes on with it."""

    async def story(people: Practice) -> None:
        chen, first = await people.person("chen", "clinician")
        dana, second = await people.person("dana", "clinician")
        _, alice = await people.person("alice", "patient")
        visit = await alice.book(chen, "audio")
        for each in (alice, first):
            await each.join(visit)
        with pytest.raises(TargetError, match="not-found"):
            await second.join(visit)
        await first.hand_over(visit, dana)
        await second.join(visit)
        await second.send(visit, "audio", filmed(ALICE + 1, "audio"))
        await second.end(visit)
        assert len(await second.recordings(visit)) == 1

    tell(clinic, story)


def test_prescriptions(clinic: Service) -> None:
    """A prescription goes to the pharmacist whom the patient chose, and to no other; without one it is refused."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        pia, chosen = await people.person("pia", "pharmacist")
        _, other = await people.person("quin", "pharmacist")
        visit, _ = await held(alice, clinician, chen, ALICE)
        with pytest.raises(TargetError, match="no-pharmacy"):
            await clinician.prescribe(visit, "Placebo")
        await alice.choose_pharmacy(pia)
        await clinician.prescribe(visit, "Placebo for alice")
        assert "Placebo for alice" in (await chosen.look("prescriptions")).text
        assert "Placebo for alice" not in (await other.look("prescriptions")).text
        assert "Placebo for alice" in (await clinician.look("prescriptions")).text

    tell(clinic, story)


def test_the_operator(clinic: Service) -> None:
    """An operator closes replays to everybody and opens them again; nobody else does, nor one without the password."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        _, recording = await held(alice, clinician, chen, ALICE)
        _, olga = await people.person("olga", "operator")
        assert set(await olga.features()) == set(await alice.features())
        with pytest.raises(TargetError, match="wrong-role"):
            await alice.switch_replays(is_open=False)
        await olga.switch_replays(is_open=False)
        with pytest.raises(TargetError, match="replays-off") as caught:
            await alice.look("detail", recording)
        assert caught.value.definite
        await olga.switch_replays(is_open=True)
        assert await sees(alice) == [recording]
        assert list(olga.surfaces()) == []
        with pytest.raises(TargetError, match="CLINIC_OPERATOR_PASSWORD") as caught:
            await people.hands(people.account("otto"), "operator", password="").enrol()
        assert caught.value.definite

    tell(clinic, story)


def test_operators_sign_out(clinic: Service) -> None:
    """However many operators come and go, the one account's sessions do not run out for who is still there."""

    async def story(people: Practice) -> None:
        _, olga = await people.person("olga", "operator")
        for _ in range(17):
            _, other = await people.person("otto", "operator")
            people.people.remove(other)
            await other.close()
        await olga.switch_replays(is_open=True)

    tell(clinic, story)


def test_captions(clinic: Service) -> None:
    """What goes with a clip in words stands in the transcript."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        _, recording = await held(alice, clinician, chen, ALICE, medium="audio", said="words of alice")
        assert "words of alice" in (await alice.look("transcript", recording)).text

    tell(clinic, story)
