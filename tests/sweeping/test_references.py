"""What is learnt of answers: values to ask with, and who has a part in what was made."""

from __future__ import annotations

import random

import pytest

from harness.sweeping.asking.references import MAX_EACH, References, entitle, learn
from harness.sweeping.describing.document import Document, Operation, understand
from harness.sweeping.judging.facts import Facts, Person, Thing

from .api import DOCUMENT
from .world import ALICE, BOB, CAROL, CHEN, DIAZ, HERS, HIS, facts


@pytest.fixture(scope="module")
def document() -> Document:
    """Return the small API's document."""
    return understand(DOCUMENT, "small.json")


def called(document: Document, label: str) -> Operation:
    """Return the operation of that label."""
    return next(each for each in document.operations if each.label == label)


def told(
    known: Facts, document: Document, label: str, *given: str, answer: object = None, refused: bool = False
) -> list[str]:
    """Let Alice call an operation with these values; return whom only the answer named."""
    operation = called(document, label)
    theirs = entitle(known, operation, ALICE, given, refused=refused)
    return [] if theirs is None else learn(known, document, operation, ALICE, given, theirs, answer)


def test_values_are_named_after_their_places(document: Document) -> None:
    """An `id` is of the path's collection, a property of its name, an address has the parameters of its template."""
    references = References(document, facts())
    answer = {
        "items": [{"id": HERS, "clinician": CHEN, "url": "/links/bG9uZw1.c2ln", "token": "s3cret", "other": "x1"}]
    }
    references.harvest(called(document, "GET /visits"), answer)
    assert references.own("visit", ALICE) == [HERS]
    assert references.own("clinician", BOB) == [CHEN]
    assert references.own("link", ALICE) == ["bG9uZw1.c2ln"]
    assert references.own("other", ALICE) == references.own("token", ALICE) == []


def test_own_and_foreign(document: Document) -> None:
    """One's own are those that one may see, the last used first; a foreign one is drawn of each owner and kind."""
    known = facts()
    references = References(document, known)
    known.add(Thing("visit-2b3c4d", "consultation", ALICE, {ALICE}))
    for value in (HERS, HIS, "visit-2b3c4d"):
        references.add("visit", value)
    references.add("visit", HERS, is_newest=True)
    assert references.own("visit", ALICE) == [HERS, "visit-2b3c4d"]
    assert references.own("visit", BOB) == [HIS]
    draw = random.Random(0)  # noqa: S311 - which reference is tried is no secret
    assert [value for value, _ in references.foreign("visit", ALICE, draw, 1)] == [HIS]
    drawn = references.foreign("visit", None, draw, 1)
    assert sorted(thing.owner for _, thing in drawn) == [ALICE, BOB]


def test_no_owner_and_no_kind_takes_all_the_tries(document: Document) -> None:
    """The first of every owner and kind comes before the second of any; what there is no room for is named."""
    known = facts()
    references = References(document, known)
    for number, owner in enumerate((ALICE, ALICE, ALICE, BOB)):
        known.add(Thing(f"visit-aa{number}", "consultation", owner, {owner}))
        references.add("visit", f"visit-aa{number}")
    draw = random.Random(0)  # noqa: S311 - which reference is tried is no secret
    assert [thing.owner for _, thing in references.foreign("visit", None, draw, 2)] == [ALICE, BOB, ALICE]
    for number in range(MAX_EACH):
        references.add("visit", f"visit-bb{number}")
    assert references.full == {"visit"}


def test_what_is_made_is_its_makers(document: Document) -> None:
    """A new visit is Alice's and whomever the request names: Diaz too, but not Bob."""
    known = facts()
    told(known, document, "POST /visits", DIAZ, answer={"id": "visit-5e5e5e", "clinician": DIAZ})
    made = known.find("visit-5e5e5e")
    assert made
    assert made.owner == ALICE
    assert known.may_see(DIAZ, made)
    assert not known.may_see(BOB, made)
    assert not known.may_see(CHEN, made)


def test_an_answer_alone_entitles_nobody(document: Document) -> None:
    """Bob, whom only the answer names, has no part in what Alice made, and is told; nor does she gain one in his."""
    known = facts()
    answer = {"id": "visit-5e5e5e", "last_user": BOB, "visit": HIS}
    assert told(known, document, "POST /visits", answer=answer) == [BOB]
    made, his, bob = (known.find(value) for value in ("visit-5e5e5e", HIS, BOB))
    assert made
    assert his
    assert bob
    assert not known.may_see(BOB, made)
    assert not known.may_see(ALICE, his)
    assert not known.may_see(ALICE, bob)


def test_whom_an_answer_may_name(document: Document) -> None:
    """A clinician, who is public, and whoever was named in an earlier request are let in by the answer's name."""
    known = facts()
    told(known, document, "POST /visits/{visit}/end", HERS, CAROL)
    answer = {"id": "visit-5e5e5e", "clinician": DIAZ, "carer": CAROL}
    assert told(known, document, "POST /visits", answer=answer) == []
    made = known.find("visit-5e5e5e")
    assert made
    assert known.may_see(DIAZ, made)
    assert known.may_see(CAROL, made)


def test_whoever_is_named_is_let_in(document: Document) -> None:
    """Alice names Carol with her visit and is answered with success: from then on Carol may see it."""
    known = facts()
    told(known, document, "POST /visits/{visit}/end", HERS, CAROL)
    hers = known.find(HERS)
    assert hers
    assert known.may_see(CAROL, hers)


def test_nothing_is_learnt_of_a_refusal_or_of_reading(document: Document) -> None:
    """A refused call lets nobody in, nor does one that only reads."""
    known = facts()
    told(known, document, "POST /visits/{visit}/end", HERS, CAROL, refused=True)
    told(known, document, "GET /visits/{visit}", HERS, CAROL)
    hers = known.find(HERS)
    assert hers
    assert not known.may_see(CAROL, hers)


def test_nothing_is_learnt_of_a_leak(document: Document) -> None:
    """What a call with a foreign reference brings does not become its caller's, nor anybody's whom it names."""
    known = facts()
    told(known, document, "POST /visits/{visit}/link", HIS, CAROL, answer={"id": "link-7a7a7a", "visit": HIS})
    his = known.find(HIS)
    assert his
    assert not known.may_see(ALICE, his)
    assert not known.may_see(CAROL, his)
    assert known.find("link-7a7a7a") is None


def test_a_link_is_its_makers_alone(document: Document) -> None:
    """A link in an answer is known as one by the template that it fits."""
    known = facts()
    told(known, document, "POST /visits/{visit}/link", HERS, answer={"url": "/links/bG9uZw1.c2ln"})
    link = known.find("bG9uZw1.c2ln")
    assert link
    assert known.may_see(ALICE, link)
    assert not known.may_see(CHEN, link)


def test_a_text_that_lies_nowhere_accuses_nobody(document: Document) -> None:
    """A text in what has no id may be for all: it is forgotten; one in a thing that was made is that thing's."""
    known = facts()
    for digits, answer in (("1" * 20, {"fine": "yes"}), ("2" * 20, {"id": "visit-6f6f6f"})):
        known.add(Thing(digits, "text", ALICE, {ALICE}))
        told(known, document, "POST /visits", digits, answer=answer)
    assert known.find("1" * 20) is None
    text = known.find("2" * 20)
    assert text
    assert text.within == "visit-6f6f6f"


def test_a_number_that_is_made_and_was_known_is_of_two_kinds(document: Document) -> None:
    """A new thing with the number of another kind's is noted; an answer about what or who was asked is not."""
    known = facts()
    known.add_person(Person("20260003", "dora", "patient"))
    known.add(Thing("20260001", "recording", BOB))
    known.add(Thing("20260002", "consultation", ALICE))
    told(known, document, "POST /visits/{visit}/link", "20260002", answer={"id": "20260002"})
    told(known, document, "POST /visits", "20260003", answer={"id": "20260003"})
    assert not known.shared
    told(known, document, "POST /visits", answer={"id": "20260001"})
    assert known.shared == {"recording and visit": "20260001"}
