"""What an exploration knows so far: what was tried, and the leak that was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.explore.play import Played
from harness.explore.program import Program
from harness.model import Combination, Verdict
from harness.planning.plan import Literals


@dataclass(slots=True)
class Tally:
    """What was tried: trials by verdict, distinct stories, combinations, what happened at once, what was refused.

    `deployments` holds what the users of each that was explored share, `left_out` the same of the others. `unsteady`
    counts trials that had no verdict among others and one when they were told again alone.
    """

    trials: int = 0
    valid: int = 0
    overlaps: int = 0
    knocks: int = 0
    stories: set[object] = field(default_factory=set)
    combinations: set[Combination] = field(default_factory=set)
    deployments: list[Literals] = field(default_factory=list)
    left_out: list[Literals] = field(default_factory=list)
    unsteady: int = 0

    def begin(self, shared: Literals) -> None:
        """Note that a deployment is explored."""
        if shared in self.left_out:
            self.left_out.remove(shared)
            self.deployments.append(shared)

    def take(self, played: Played) -> None:
        """Count a trial."""
        program = played.program
        self.trials += 1
        self.valid += played.result.verdict is Verdict.VALID
        self.overlaps += program.overlaps
        self.knocks += sum(verb.refusable for verb in program.verbs)
        self.stories.add(program.steps)
        self.combinations.add(program.combination)

    def settle(self, played: Played) -> None:
        """Count the verdict of a trial that had none among others, and has one when it is told again alone."""
        self.unsteady += 1
        self.valid += played.result.verdict is Verdict.VALID


@dataclass(slots=True)
class Leak:
    """A program that failed: as it was first seen, and the smallest that was found.

    `alone` is False when it failed among others only. `fresh` says whether the smallest failed on a deployment that had
    seen nothing else: None when that was not seen, for want of time, or for the reason in `hindrance`.
    """

    first: Played
    smallest: Played
    trial: int
    at_s: float
    alone: bool = True
    is_smallest: bool = False
    shrinking_s: float = 0.0
    plays: int = 0
    fresh: bool | None = None
    hindrance: str = ""


class Onlooker(Protocol):
    """Is shown how an exploration goes."""

    def phase(self, text: str) -> None:
        """Take what is being prepared."""

    def tried(self, tally: Tally) -> None:
        """Take how far it is, after every trial."""

    def found(self, played: Played, tally: Tally) -> None:
        """Take the first program that failed, as it was."""

    def shrunk(self, program: Program, plays: int) -> None:
        """Take a smaller program that fails as well, and how many were played for it."""
