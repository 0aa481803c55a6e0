"""What is known of people and things: whose each identifier and canary is, and who may see it.

Entitlement is generous: whoever took part, was named by somebody who did, or treats the owner, may see. A thing whose
owner is not certain is not here at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness import ledger as ledgers
from harness.ledger import Action, Ledger
from harness.provenance import derive, references
from harness.sweeping.judging.known import MIN_TOKEN, Index, is_weak, kind_of

ACCOUNT, NAME, CONSULTATION, RECORDING, TEXT = "account", "name", "consultation", "recording", "text"
LINK = "link"
"""The kind of a thing that is an address: whoever has it may be let in by it, so it is never written down."""
MAX_THINGS = 100_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `also` are further values that stand for them, such as their pharmacy.

    `is_public` is one whose account and name anybody may see, as a clinician's; `oversees` one who may see every
    identifier and name, as an operator, but nobody's media.
    """

    account: str
    name: str
    role: str
    also: frozenset[str] = frozenset()
    is_public: bool = False
    oversees: bool = False

    @property
    def called(self) -> str:
        """What sentences call them: the name without its token."""
        return self.name.partition(".")[0]


@dataclass(slots=True)
class Thing:
    """Something of somebody's that a value stands for. `parties` may see all of it and `knowers` that it is there.

    People are named by their accounts. `within` is the value of the thing that it belongs to, a consultation mostly.
    """

    value: str
    kind: str
    owner: str
    parties: set[str] = field(default_factory=set)
    knowers: set[str] = field(default_factory=set)
    within: str | None = None


def is_token(value: object) -> bool:
    """True for a text that can be told from all others: not a word, not a small number."""
    return (
        isinstance(value, str)
        and MIN_TOKEN <= len(value) <= 400
        and any(character.isdigit() for character in value)
        and not any(character.isspace() for character in value)
    )


class Facts:
    """People, things by their values, canaries of media, and whose each file is."""

    def __init__(self, public_kinds: Iterable[str] = ()) -> None:
        self.public_kinds = frozenset(public_kinds)
        self.people: dict[str, Person] = {}
        self.things: dict[str, Thing] = {}
        self.canaries: dict[int, tuple[str, str]] = {}
        """The owner's account and the consultation of each canary that was emitted."""
        self.files: dict[str, str] = {}
        """SHA-256 of a file that was served by a thing's own reference to who may see it -> the thing's value."""
        self.is_full = False
        """True when a thing was left out because there were MAX_THINGS already."""
        self.shared: dict[str, str] = {}
        """Kinds of which a number stands for things of another kind, too, with the number."""
        self.index = Index()
        """The values of all things but texts, to be found in answers."""
        self._meets: dict[str, set[str]] = {}

    def add_person(self, person: Person) -> None:
        """Add somebody, with account and name as things of theirs unless these are public."""
        self.people[person.account] = person
        if not person.is_public:
            for kind, value in ((ACCOUNT, person.account), (NAME, person.name)):
                if is_token(value):
                    self.add(Thing(value, kind, person.account, {person.account}))

    def add(self, thing: Thing) -> Thing:
        """Add a thing unless it is known or there are too many, and let its parties meet; return what is known."""
        if len(self.things) >= MAX_THINGS and self.find(thing.value) is None:
            self.is_full = True
            return thing
        known = self.keep(thing)
        if known is thing:
            for party in set(thing.parties):
                self.grant(thing, party)
        return known

    def keep(self, thing: Thing) -> Thing:
        """Add a thing as it is, unless it is known; return what is known."""
        if thing.kind != TEXT:
            self.index.add(thing.value)
        known = self.things.setdefault(thing.value.lower(), thing)
        if is_weak(thing.value) and kind_of(known.kind) != kind_of(thing.kind):
            self.shared.setdefault(f"{known.kind} and {thing.kind}", thing.value)
        return known

    def find(self, value: str) -> Thing | None:
        """Return the thing that a value stands for, in whatever case it is written."""
        return self.things.get(value.lower())

    def forget(self, value: str) -> None:
        """Forget a thing: whose it is has turned out to be uncertain."""
        self.things.pop(value.lower(), None)
        self.index.discard(value)

    def weak_kinds(self) -> dict[str, str]:
        """Return the kinds of which a reference cannot be told from ordinary words and numbers, with an example."""
        return {thing.kind: thing.value for thing in self.things.values() if is_weak(thing.value)}

    def named(self, values: Iterable[str]) -> list[Person]:
        """Return the people whom any of the values stands for."""
        given = {value.lower() for value in values}
        return [
            person
            for person in self.people.values()
            if not given.isdisjoint({value.lower() for value in (person.account, person.name, *person.also)})
        ]

    def grant(self, thing: Thing, account: str) -> None:
        """Let somebody see a thing, know what it lies within, and meet everybody who has a part in either."""
        thing.parties.add(account)
        chain = list(self._chain(thing))
        for above in chain[1:]:
            above.knowers.add(account)
        for other in {party for each in chain for party in (*each.parties, each.owner)}:
            self.meet(account, other)

    def meet(self, one: str, other: str) -> None:
        """Let two know of each other."""
        self._meets.setdefault(one, set()).add(other)
        self._meets.setdefault(other, set()).add(one)

    def has_met(self, one: str, other: str) -> bool:
        """Return whether two know of each other."""
        return other in self._meets.get(one, ())

    def acquaintances(self, viewer: str) -> list[str]:
        """Return everybody else's account, those first whom somebody may know of, and of these the newest."""
        met = self._meets.get(viewer, ())
        return sorted((each for each in reversed(self.people) if each != viewer), key=lambda each: each not in met)

    def may_see(self, viewer: str | None, thing: Thing) -> bool:
        """Return whether an account, or nobody's (None), may see a thing's value."""
        person = self.people.get(viewer or "")
        if viewer is None or person is None:
            return not self.is_private(thing)
        if not self.is_private(thing) or person.oversees or viewer == thing.owner or viewer in thing.knowers:
            return True
        if thing.kind in (ACCOUNT, NAME):
            return thing.owner in self._meets.get(viewer, ())
        chain = list(self._chain(thing))
        if any(viewer in each.parties for each in chain):
            return True
        others = {account for each in chain for account in (*each.parties, each.owner)}
        is_of_nobody_in_particular = thing.kind != LINK and not any(self._is_clinician(account) for account in others)
        return is_of_nobody_in_particular and self._is_clinician(viewer) and thing.owner in self._meets.get(viewer, ())

    def is_private(self, thing: Thing) -> bool:
        """False for what is nobody's in particular: of a public kind, or with public people alone in it."""
        chain = list(self._chain(thing))
        if any(each.kind in self.public_kinds for each in chain):
            return False
        return not all(
            account in self.people and self.people[account].is_public
            for each in chain
            for account in (each.owner, *each.parties)
        )

    def acquainted(self) -> list[tuple[str, str]]:
        """Return each pair of people who may know of each other, once."""
        return [(one, other) for one, others in sorted(self._meets.items()) for other in sorted(others) if one < other]

    def may_hear(self, viewer: str | None, consultation: str) -> bool:
        """Return whether an account may be served media of a consultation: its parties, and whoever was let in."""
        thing = self.find(consultation)
        return bool(viewer and thing and viewer in thing.parties | thing.knowers)

    def called(self, account: str | None) -> str:
        """Return what sentences call the owner of an account."""
        if account is None:
            return "somebody who is not signed in"
        return self.people[account].called if account in self.people else account

    def _chain(self, thing: Thing) -> Iterator[Thing]:
        """Yield a thing and what it lies within."""
        seen: set[str] = set()
        each: Thing | None = thing
        while each is not None and each.value not in seen:
            seen.add(each.value)
            yield each
            each = self.find(each.within) if each.within else None

    def _is_clinician(self, account: str) -> bool:
        """True for whoever treats: what a patient has without any clinician in it is for theirs to see as well."""
        return account in self.people and self.people[account].role == "clinician"

    def learn(self, ledger: Ledger) -> None:
        """Add what a trial's ledger says: its cast, consultations, recordings and emissions."""
        provenance = derive(ledger)
        accounts = {}
        for entry in ledger.of(Action.ENROL, *ledgers.Outcome):
            name = entry.actor
            accounts[name] = str(entry.data["account"])
            role = provenance.cast.get(name, "")
            if accounts[name] not in self.people:
                self.add_person(Person(accounts[name], name, role, is_public=role == "clinician"))
        refs = {}
        for visit in provenance.visits.values():
            ref = visit.consultation or visit.name
            refs[visit.name] = ref
            parties = {accounts.get(party, party) for party in visit.parties}
            if provenance.visit_of_consultation.get(ref) == visit.name or not visit.consultation:
                known = self.add(Thing(ref, CONSULTATION, accounts.get(visit.patient, visit.patient), set(parties)))
                for party in parties:
                    self.grant(known, party)
        for recording, name in references(ledger, provenance).items():
            owner = self.find(refs[name])
            if owner:
                self.add(Thing(recording, RECORDING, owner.owner, within=owner.value))
        for canary, emission in provenance.emissions.items():
            self.canaries[canary] = accounts.get(emission.actor, emission.actor), refs.get(emission.visit, "")
