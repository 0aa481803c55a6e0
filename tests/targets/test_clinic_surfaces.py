"""Every surface of the clinic through its users' hands, in a real clinic: one's own is there, others' is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

import pytest

from harness.drivers.surfaces import View
from harness.errors import TargetError
from harness.process import Service
from harness.targets.base import FEATURES, TargetOptions
from harness.targets.clinic import ClinicDriver, ClinicTarget
from harness.targets.clinic.surfaces import FIRST_BYTES, OF, OF_A_RECORDING

from .practices import Practice, held, practice, tell

ALICE, BOB = 2, 4
WORDS = {"alice": "said by alice", "bob": "said by bob"}


@pytest.fixture(scope="module")
def clinic() -> Iterator[Service]:
    """Return a clinic without flaws."""
    with practice() as made:
        yield made


async def refusals(hands: ClinicDriver, about: dict[str, str]) -> dict[str, bool]:
    """Return of each surface that refuses whether it does so definitely, when it is asked about these."""
    found = {}
    for surface in hands.surfaces():
        try:
            await hands.look(surface.name, about.get(surface.about, ""))
        except TargetError as error:
            found[surface.name] = error.definite
    return found


def names(view: View) -> list[str]:
    """Return the files of an archive."""
    assert view.media is not None
    with zipfile.ZipFile(io.BytesIO(view.media)) as archive:
        return archive.namelist()


def test_a_patient_meets_what_is_theirs(clinic: Service) -> None:
    """Each surface of a patient's shows what is theirs, and nothing of another patient's of the same clinician."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        _, bob = await people.person("bob", "patient")
        pharmacist, _ = await people.person("pia", "pharmacist")
        await alice.choose_pharmacy(pharmacist)
        visit, recording = await held(alice, clinician, chen, ALICE, said=WORDS["alice"])
        foreign = await held(bob, clinician, chen, BOB, said=WORDS["bob"])
        await clinician.prescribe(visit, "Placebo for alice")
        await alice.measure("beats of alice")
        whole = await alice.open(recording)
        assert len(whole) > FIRST_BYTES
        (link,) = (await alice.look("make-link", recording)).links
        views = {
            each.name: await alice.look(each.name, {"recording": recording, "link": link}.get(each.about, ""))
            for each in alice.surfaces()
        }
        assert [each.ref for each in views["search"].recordings or ()] == [recording]
        assert f"{recording}.webm" in names(views["export"])
        assert views["link"].media == views["range"].media == whole
        assert (views["thumbnail"].media or b"").startswith(b"\xff\xd8\xff")
        assert WORDS["alice"] in views["transcript"].text
        assert "Placebo for alice" in views["prescriptions"].text
        assert "beats of alice" in views["metrics"].text
        for name in ("search", "detail", "prescriptions", "inbox", "mail"):
            assert visit in views[name].text, name
        for name, view in views.items():
            for word in (*foreign, WORDS["bob"]):
                assert word not in view.text, name
            assert name != "export" or f"{foreign[1]}.webm" not in names(view)

    tell(clinic, story)


def test_a_clinician_meets_what_is_theirs(clinic: Service) -> None:
    """A clinician's agenda, portal, prescriptions and patients' metrics are those of their own patients."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, other = await people.person("dana", "clinician")
        alice, patient = await people.person("alice", "patient")
        await patient.measure("beats of alice")
        _, recording = await held(patient, clinician, chen, ALICE)
        coming = await patient.book(chen, "audio")
        assert coming in (await clinician.look("agenda")).text
        assert [each.ref for each in (await clinician.look("portal-recordings")).recordings or ()] == [recording]
        assert "beats of alice" in (await clinician.look("patient-metrics", alice)).text
        assert coming not in (await other.look("agenda")).text
        assert (await other.look("portal-recordings")).recordings == []
        with pytest.raises(TargetError, match="not-found") as caught:
            await other.look("patient-metrics", alice)
        assert caught.value.definite

    tell(clinic, story)


def test_others_and_strangers_are_refused(clinic: Service) -> None:
    """What is about a recording is definitely refused to another patient and to a stranger; so are links."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        _, bob = await people.person("bob", "patient")
        stranger = people.stranger()
        _, recording = await held(alice, clinician, chen, ALICE)
        (link,) = (await alice.look("make-link", recording)).links
        for hands in (bob, stranger):
            for surface in OF_A_RECORDING:
                with pytest.raises(TargetError) as caught:
                    await hands.look(surface.name, link if surface.about == "link" else recording)
                assert caught.value.definite, (hands, surface)
                assert link not in str(caught.value), "whoever has a link may be let in by it"
            with pytest.raises(TargetError) as caught:
                await hands.open(recording)
            assert caught.value.definite, hands
        assert stranger.surfaces() == OF_A_RECORDING

    tell(clinic, story)


@pytest.mark.parametrize(
    ("flags", "off"), [(("replay-access",), {"search"}), (("replay-index-v2", "replay-search"), {"replays"})]
)
def test_what_a_surface_needs(clinic: Service, flags: tuple[str, ...], off: set[str]) -> None:
    """A surface is refused where a feature that it needs is off, and answers where all are on."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        alice, patient = await people.person("alice", "patient", *flags)
        visit, recording = await held(patient, clinician, chen, ALICE)
        about = {"recording": recording, "person": alice, "link": "/links/none"}
        expected = {each.name: True for each in patient.surfaces() if each.needs & off or each.about == "link"}
        assert await refusals(patient, about) == expected
        assert visit

    tell(clinic, story)


def test_pages_are_followed_to_the_end(clinic: Service) -> None:
    """A list of more than one page is returned whole, its pages one below the other."""

    async def story(people: Practice) -> None:
        _, alice = await people.person("alice", "patient")
        words = [f"unit {number}" for number in range(51)]
        for each in words:
            await alice.measure(each)
        pages = (await alice.look("metrics")).text.splitlines()
        assert len(pages) == 2
        assert sorted(item["unit"] for page in pages for item in json.loads(page)["items"]) == sorted(words)

    tell(clinic, story)


def test_a_leak_in_a_surface_is_seen() -> None:
    """In a clinic whose links open for anybody the stranger's hands hold the recording: they do look."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        _, alice = await people.person("alice", "patient")
        _, recording = await held(alice, clinician, chen, ALICE)
        (link,) = (await alice.look("make-link", recording)).links
        assert (await people.stranger().look("link", link)).media == await alice.open(recording)

    with practice("signed-link-unbound") as flawed:
        tell(flawed, story)


def test_what_is_not_offered() -> None:
    """The clinic's adapter names features that there are, and those of its surfaces are among them."""
    target = ClinicTarget(TargetOptions())
    assert target.not_offered({}) == FEATURES
    assert target.not_offered({"replay-access": "on", "video-upgrade": "on"}) == {
        "search",
        "sharing",
        "switch-to-audio",
    }
    needed = {feature for surfaces in OF.values() for surface in surfaces for feature in surface.needs}
    assert needed <= FEATURES
