"""The tour of a small clinic: what it reaches, in which order, what it finds and what it says of the rest."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.sweeping.asking.caller import Caller, UnsendableError
from harness.sweeping.asking.cases import Call, Cases
from harness.sweeping.asking.references import References
from harness.sweeping.asking.tour import TargetGoneError, Tour
from harness.sweeping.control import control
from harness.sweeping.describing.document import understand
from harness.sweeping.judging.facts import Facts, Person, Thing
from harness.sweeping.judging.judge import Request
from harness.sweeping.judging.seeing import Answer, Eye

from .api import DOCUMENT, Answers, served

PEOPLE = {"alice": "patient", "bob": "patient", "chen": "clinician"}
REFUSED = (404, {"error": "There is no such thing."})


@dataclass
class Clinic:
    """A clinic of visits and links; `flaw` is an operation that asks nobody whose a visit is."""

    flaw: str = ""
    visits: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    """Which of those asked somebody who is signed in for another's visit; what the clinician makes alone is public."""
    numbers: Any = field(default_factory=lambda: itertools.count(100_001))

    def answer(self, method: str, path: str, who: str) -> tuple[int, Any]:
        """Answer a request of an account, of nobody when it is empty."""
        self.asked.append((method, path, who))
        if who not in accounts():
            return 401, {"error": "Sign in."}
        parts = path.strip("/").split("/")
        if parts == ["sign-out"]:
            return 204, None
        if parts == ["visits"]:
            return self._visits(method, who)
        if parts[0] == "links":
            visit = self.links.get(parts[1], "")
            return (200, self.visits[visit]) if visit in self.visits and self._may(who, visit) else REFUSED
        visit = parts[1]
        is_private = visit in self.visits and self.visits[visit]["patient"] != accounts()[2]
        if method == "GET" and is_private and not self._may(who, visit):
            self.foreign.append(len(self.asked) - 1)
        if visit not in self.visits or not self._may(who, visit, method, parts):
            return REFUSED
        if parts[2:] == ["link"]:
            link = f"c2lnbmVk{next(self.numbers)}"
            self.links[link] = visit
            return 201, {"url": f"/links/{link}"}
        if method == "DELETE":
            return 204, self.visits.pop(visit) and None
        return 200, self.visits[visit]

    def _visits(self, method: str, who: str) -> tuple[int, Any]:
        if method == "GET":
            shown = [visit for visit in self.visits if self.flaw == "GET /visits" or self._may(who, visit)]
            return 200, {"items": [self.visits[visit] for visit in shown]}
        made = f"visit-{next(self.numbers)}"
        self.visits[made] = {"id": made, "patient": who, "clinician": accounts()[2]}
        other = accounts()[accounts().index(who) - 1]
        return 201, {**self.visits[made], **({"last_user": other} if self.flaw == "POST /visits" else {})}

    def _may(self, who: str, visit: str, method: str = "", parts: Any = ()) -> bool:
        label = f"{method} /{'/'.join(['visits', '{visit}', *parts[2:]])}"
        return label == self.flaw or who in (self.visits[visit]["patient"], self.visits[visit]["clinician"])


def accounts() -> list[str]:
    """Return the accounts of all."""
    return [f"{name}.k7q2m9-t1" for name in PEOPLE]


def tour(
    answers: Answers,
    run: Callable[[Tour], None],
    budget_s: float = 90.0,
    generate_s: float = 90.0,
    described: Any = DOCUMENT,
) -> Tour:
    """Make a tour of a small clinic, as far as `run` does."""
    facts = Facts()
    for account, role in zip(accounts(), PEOPLE.values(), strict=True):
        facts.add_person(Person(account, account.partition("-")[0], role, is_public=role == "clinician"))
    document = understand(described, "small.json")
    references = References(document, facts)
    numbers = itertools.count(10**19)

    def write(account: str) -> str:
        digits = str(next(numbers))
        facts.add(Thing(digits, "text", account, {account}))
        return digits

    with served(answers) as address:
        caller = Caller(address, {each: {"Authorization": f"Bearer {each}"} for each in accounts()})
        made = Tour(
            document=document,
            facts=facts,
            references=references,
            cases=Cases(facts, references, write, seed_=0, examples=2),
            caller=caller,
            eye=Eye(),
            people=accounts(),
            deadline_s=time.monotonic() + budget_s,
            generate_until_s=time.monotonic() + generate_s,
            stop=threading.Event(),
            report=lambda _: None,
        )
        try:
            run(made)
        finally:
            caller.close()
    return made


@pytest.fixture(scope="module")
def sound() -> tuple[Clinic, Tour]:
    """Return a sound clinic and a whole tour of it."""
    clinic = Clinic()
    return clinic, tour(clinic.answer, Tour.run)


def test_all_is_reached_and_nothing_found(sound: tuple[Clinic, Tour]) -> None:
    """In the sound clinic every operation is reached with own data by somebody, and nothing is found."""
    _, made = sound
    assert [label for label, reach in made.reach.items() if not reach.is_reached] == []
    assert not made.found
    assert not made.unasked
    assert not made.faults


def test_everybody_asks_everything(sound: tuple[Clinic, Tour]) -> None:
    """Each operation is asked as everybody and as nobody, and with foreign references where it takes one."""
    _, made = sound
    for label, reach in made.reach.items():
        assert {who for who, _ in reach.statuses} == {*accounts(), None}, label
    foreign = {how for _, how in made.reach["GET /visits/{visit}"].statuses}
    assert {"own", "foreign", "generated"} <= foreign


def test_what_ends_comes_last(sound: tuple[Clinic, Tour]) -> None:
    """Nothing is deleted before foreign references were read, and nobody leaves before all else is done."""
    clinic, _ = sound
    first_deleted = next(i for i, (method, _, who) in enumerate(clinic.asked) if method == "DELETE" and who)
    first_left = next(i for i, (_, path, who) in enumerate(clinic.asked) if path == "/sign-out" and who)
    assert len(clinic.foreign) >= len(PEOPLE) - 1
    assert max(clinic.foreign) < first_deleted < first_left
    assert all(path == "/sign-out" for _, path, _ in clinic.asked[first_left:])


@pytest.mark.parametrize("flaw", ["GET /visits", "GET /visits/{visit}", "POST /visits/{visit}/end"])
def test_a_leak_is_found(flaw: str) -> None:
    """A list, a reading and a change that ask nobody whose a visit is are each found at that operation alone."""
    made = tour(Clinic(flaw).answer, Tour.run)
    assert {leak.leak.operation for leak in made.found.values()} == {flaw}
    found = next(iter(made.found.values()))
    assert found.leak.degree == "presented"
    assert found.curl.startswith("curl --include")
    assert "Authorization: Bearer $TOKEN_OF_" in found.curl
    assert not any(account in found.curl.partition("http")[0] for account in accounts())


def test_an_answer_does_not_absolve_itself() -> None:
    """Whom the answer to a creation names out of nothing is a leak there, and told as a remark."""
    made = tour(Clinic("POST /visits").answer, Tour.run)
    assert {leak.leak.operation for leak in made.found.values()} == {"POST /visits"}
    assert "named" in made.named["POST /visits"]


@pytest.mark.parametrize(("is_stream", "expected"), [(False, 1), (True, 0)])
def test_an_unfinished_answer_is_a_doubt(is_stream: bool, expected: int) -> None:  # noqa: FBT001 - a parameter
    """What was not read to its end may hold anything, but of what has no end as much as was listened to is enough."""

    def run(made: Tour) -> None:
        operation = replace(made.document.operations[0], is_stream=is_stream)
        request = Request(operation.label, "GET", "/visits")
        answer = Answer(200, body=b'{"items": [', cut_short=True)
        made.take(operation, accounts()[0], "own", request, answer, (), curl=str)

    assert len(tour(Clinic().answer, run).unread) == expected


def test_a_change_that_shows_nothing_is_a_remark() -> None:
    """To delete what is another's shows nobody's data: it is no finding, and is told all the same."""
    made = tour(Clinic("DELETE /visits/{visit}").answer, Tour.run)
    assert not made.found
    assert "was answered 204 with" in made.accepted["DELETE /visits/{visit}"]


def test_the_control_is_found_in_real_answers(sound: tuple[Clinic, Tour], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is slipped in is found; without media to slip, and by an eye that sees nothing, the control is missed."""
    _, made = sound
    seen = control(made.facts, made.samples, made.eye)
    assert seen.slipped == 6
    assert seen.missed == ("media could be slipped into no answer: there was none to take",)
    monkeypatch.setattr("harness.sweeping.control.judge", lambda *_: ([], None))
    blind = control(made.facts, made.samples, made.eye)
    assert "an identifier slipped into" in blind.missed[0]
    assert not blind.has_seen


def test_a_budget_that_is_over() -> None:
    """When time is over the tour ends, and says where."""
    made = tour(Clinic().answer, Tour.run, budget_s=-1.0)
    assert made.unasked == "everybody reads what they have"
    assert made.caller.sent == 0


def test_generated_cases_give_way() -> None:
    """When there is no time for generated cases they are left out, and what follows them is asked all the same."""
    made = tour(Clinic().answer, Tour.run, generate_s=-1.0)
    assert made.cut_short == "generated cases that change"
    assert not made.unasked
    assert made.reach["POST /sign-out"].is_reached
    assert not any(how == "generated" for reach in made.reach.values() for _, how in reach.statuses)


def test_a_target_that_is_gone() -> None:
    """A target that no longer answers ends the tour with an error, and is not asked for ever."""

    def run(made: Tour) -> None:
        made.caller = Caller("http://127.0.0.1:1", {})
        with pytest.raises(TargetGoneError):
            made.run()

    made = tour(Clinic().answer, run)
    assert made.caller.sent == 20


def redirecting(clinic: Clinic, to: str, status: int = 302) -> Answers:
    """Let a clinic answer refused readings of visits with a redirect; what it leads to names the visit's patient."""

    def answer(method: str, path: str, who: str) -> tuple[Any, ...]:
        if path.startswith("/files/"):
            return 200, clinic.visits[path.rpartition("/")[2]]
        if path == "/sign-in":
            return 200, b"<h1>Sign in</h1>", {"Content-Type": "text/html"}
        said = clinic.answer(method, path, who)
        visit = path.rpartition("/")[2]
        is_known = visit in clinic.visits and path == f"/visits/{visit}"
        if said[0] == REFUSED[0] and method == "GET" and is_known:
            return status, None, {"Location": to.format(visit=visit)}
        return said

    return answer


def test_a_redirect_is_followed() -> None:
    """What stands at the end of a redirect was shown as well as what an answer holds itself."""
    made = tour(redirecting(Clinic(), "/files/{visit}"), Tour.run)
    assert {leak.leak.operation for leak in made.found.values()} == {"GET /visits/{visit}"}
    assert all(leak.curl.startswith("curl --location") for leak in made.found.values())
    assert "alice.k7q2m9" in {leak.leak.owner.partition("-")[0] for leak in made.found.values()}


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("http://127.0.0.1:1/{visit}", "it leads to another origin"),
        ("", "it leads nowhere"),
        ("/visits/{visit}", "more than 5 of them"),
    ],
)
def test_a_redirect_that_is_not_followed_is_a_doubt(to: str, expected: str) -> None:
    """A foreign reference may have been answered with an address of what it refers to: that is no refusal."""
    made = tour(redirecting(Clinic(), to), Tour.run)
    assert expected in made.unread["GET /visits/{visit}"]


def test_who_is_sent_to_sign_in_is_refused() -> None:
    """A page that holds nothing foreign at the end of a redirect is a refusal, and reaches nothing."""
    made = tour(redirecting(Clinic(), "/sign-in"), Tour.run)
    assert not made.found
    assert not made.unread
    assert "GET /visits/{visit}" not in made.accepted
    foreign = made.reach["GET /visits/{visit}"].statuses[accounts()[0], "foreign"]
    assert set(foreign) == {302}


def test_a_path_that_leads_elsewhere_is_not_sent() -> None:
    """No credential leaves the target, whatever a case makes of a path."""
    sent = {"method": "GET", "url": "http://127.0.0.1:2@127.0.0.1:1/visits", "headers": {}}
    case = SimpleNamespace(as_transport_kwargs=lambda **_: sent)
    caller = Caller("http://127.0.0.1:2", {})
    with pytest.raises(UnsendableError, match="another origin"):
        caller.send(Call(understand(DOCUMENT, "x").operations[0], case, ()), None)
    assert caller.sent == 0
