"""The run's directory: what was expected, every trial's ledger, and nothing of any other run.

DIR/run.json            the expected cells, written before anything runs
DIR/ledgers/TRIAL.jsonl one ledger a trial, written as it happens
DIR/control.jsonl       the ledger of the control trial; of a second deployment control-2.jsonl, and so on
DIR/evidence/TRIAL/     what was seen in a trial that was not valid: pages of browsers, leaked media

The reports lie beside them: summary.json, of `harness run` junit.xml and allure-results/, of `harness report`
allure-report/.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import ledger
from harness.errors import UsageError
from harness.ledger import Action, Ledger
from harness.model import Catalogue, Combination, Constraint, Flag, Trial
from harness.planning.coverage import EXHAUSTIVE
from harness.planning.plan import Claim, Plan
from harness.provenance import missing_from
from harness.running.directory import PART, held
from harness.running.settings import DEFAULT_DRIVER, Settings

SCHEMA = 1
RUN, LEDGERS, CONTROL = "run.json", "ledgers", "control.jsonl"
SUMMARY, JUNIT = "summary.json", "junit.xml"
ALLURE_RESULTS, ALLURE_REPORT = "allure-results", "allure-report"
EVIDENCE = "evidence"
WRITTEN_BY_A_RUN = (
    RUN,
    LEDGERS,
    CONTROL,
    EVIDENCE,
    SUMMARY,
    SUMMARY + PART,
    JUNIT,
    ALLURE_RESULTS,
    ALLURE_REPORT,
)
LATER_CONTROL = re.compile(r"control-\d{1,5}\.jsonl")


@dataclass(frozen=True, slots=True)
class Store:
    """A run's directory, open for writing."""

    path: Path

    @classmethod
    @contextmanager
    def create(cls, path: Path, plan: Plan, settings: Settings) -> Iterator[Store]:
        """Empty the directory of an earlier run, write down the expected cells, and hold it for this run alone.

        Raises UsageError when the directory holds anything that is not a run's, or is in use.
        """

        def begin(_: Path) -> None:
            _empty(path)
            (path / LEDGERS).mkdir()
            (path / RUN).write_text(_run(plan, settings))

        with held(path, "run", require_ours, begin):
            yield cls(path)

    def ledger(self, trial: Trial) -> Ledger:
        """Open the ledger of a trial."""
        return Ledger((self.path / LEDGERS / f"{trial.id}.jsonl").open("w", encoding="utf-8"))

    @property
    def evidence(self) -> Path:
        """Where what was seen in trials that are not valid is kept; made by whoever keeps something."""
        return self.path / EVIDENCE

    def control(self, deployment: int = 1) -> Ledger:
        """Open the ledger of the control trial of a deployment, which are numbered from 1."""
        return Ledger((self.path / _control(deployment)).open("w", encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it lies on disk."""

    path: Path
    facts: dict[str, Any]

    @property
    def plan(self) -> Plan:
        """The plan as it was, its catalogue included: the flag file may have changed since."""
        flags = tuple(
            Flag(
                row["name"],
                tuple(row["variants"]),
                row["baseline"],
                row["kind"],
                context=row.get("context", "user"),
                production=row.get("production"),
            )
            for row in self.facts["catalogue"]
        )
        constraints = tuple(
            Constraint(tuple((name, frozenset(held)) for name, held in row["forbidden"].items()), row["reason"])
            for row in self.facts["constraints"]
        )
        claim = self.facts["claim"]
        return Plan(
            claim=Claim(
                claim["kind"],
                claim["valid_combinations"],
                claim.get("strength"),
                tuple(claim.get("fixed", {}).items()),
            ),
            trials=tuple(
                Trial(cell["scenario"], Combination(tuple(cell["combination"].items())), self.facts["seed"])
                for cell in self.facts["cells"]
            ),
            catalogue=Catalogue(flags, constraints, source=self.facts["flags"]),
            seed=self.facts["seed"],
        )

    @property
    def settings(self) -> Settings:
        """What the run was told, as far as it matters for running a trial again."""
        return Settings(
            paths=tuple(self.facts["paths"]),
            # An earlier harness did not say whether these were all: named, they are the same ones.
            scenarios=tuple(self.facts.get("scenarios", self.plan.scenarios)),
            flag_server=self.facts["flag_server"],
            target=self.facts["target"],
            driver=self.facts.get("driver", DEFAULT_DRIVER),
            flags=Path(self.facts["flags"]),
            coverage=self.facts.get("coverage", EXHAUSTIVE),
            chosen=tuple(self.facts.get("chosen", ())),
            flaws=tuple(self.facts["flaws"]),
            seed=self.facts["seed"],
            out=self.path,
        )

    def evidence(self, trial: Trial) -> list[Path]:
        """Return the files that were kept of a trial, by name."""
        return sorted(path for path in (self.path / EVIDENCE / trial.id).glob("*") if path.is_file())

    def require_whole(self) -> None:
        """Raise UsageError when a ledger lies there that no expected cell accounts for."""
        expected = {trial.id for trial in self.plan.trials}
        strange = sorted(file.name for file in (self.path / LEDGERS).glob("*.jsonl") if file.stem not in expected)
        if strange:
            raise UsageError(f"{self.path / LEDGERS / strange[0]}: no cell of {RUN} is this trial's")

    def control(self, deployment: int = 1) -> Ledger | None:
        """Return the ledger of a deployment's control trial, or None when it never began."""
        path = self.path / _control(deployment)
        return ledger.read(path) if _has_begun(path) else None

    def ledger(self, trial: Trial) -> Ledger | None:
        """Return a cell's ledger, or None when the trial never began; UsageError when it is another trial's."""
        path = self.path / LEDGERS / f"{trial.id}.jsonl"
        if not _has_begun(path):
            return None
        stored = ledger.read(path)
        for entry in stored:
            lacking = sorted(missing_from(entry))
            if lacking:
                raise UsageError(f"{path}:{entry.seq + 1}: a ledger entry of '{entry.action}' without {lacking[0]}")
        for entry in stored.of(Action.TRIAL):
            if entry.data.get("trial") != trial.id:
                raise UsageError(f"{path}: it is the ledger of trial {entry.data.get('trial')}, not of {trial.id}")
        return stored


def load(path: Path) -> StoredRun:
    """Open a stored run; raise UsageError when there is none, or one that this version cannot read."""
    file = path / RUN
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no stored run is there ({RUN} is missing)") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise UsageError(f"{file}: not a stored run of schema {SCHEMA}")
    stored = StoredRun(path, facts)
    try:
        _ = stored.plan, stored.settings
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file}: not a whole run of schema {SCHEMA} ({type(error).__name__}: {error})") from error
    return stored


def require_ours(path: Path) -> None:
    """Raise UsageError unless the directory is new, empty, or an earlier run's: nothing of anybody else is lost."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"--out {path}: it is not a directory")
    foreign = sorted(entry.name for entry in path.iterdir() if not _is_ours(entry.name)) if path.exists() else []
    if foreign:
        raise UsageError(
            f"--out {path}: it holds {foreign[0]}, which no run wrote; give an empty directory or an earlier run's"
        )


def _control(deployment: int) -> str:
    return CONTROL if deployment == 1 else f"control-{deployment}.jsonl"


def _is_ours(name: str) -> bool:
    return name in WRITTEN_BY_A_RUN or LATER_CONTROL.fullmatch(name) is not None


def _has_begun(file: Path) -> bool:
    """Return False also for a ledger of which a run that was killed had not written a line yet."""
    return file.exists() and file.stat().st_size > 0


def _empty(path: Path) -> None:
    for later in filter(_is_ours, sorted(entry.name for entry in path.glob("control-*.jsonl"))):
        (path / later).unlink()
    for name in WRITTEN_BY_A_RUN:
        entry = path / name
        if name == ALLURE_RESULTS:  # the folder stays: pytest's --alluredir may have opened it already
            for result in entry.iterdir() if entry.is_dir() else ():
                result.unlink()
        elif entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def _run(plan: Plan, settings: Settings) -> str:
    facts = {
        "schema": SCHEMA,
        "seed": plan.seed,
        "paths": list(settings.paths),
        "scenarios": list(settings.scenarios),
        "target": settings.target,
        "driver": settings.driver,
        "flag_server": settings.flag_server,
        "flags": plan.catalogue.source,
        "coverage": settings.coverage,
        "chosen": list(settings.chosen),
        "flaws": list(settings.flaws),
        "catalogue": [
            {
                "name": flag.name,
                "variants": flag.variants,
                "baseline": flag.baseline,
                "kind": flag.kind,
                "context": flag.context,
                "production": flag.production,
            }
            for flag in plan.catalogue.flags
        ],
        "constraints": [
            {
                "forbidden": {name: sorted(variants) for name, variants in each.forbidden},
                "reason": each.reason,
            }
            for each in plan.catalogue.constraints
        ],
        "claim": {
            "kind": plan.claim.kind,
            "valid_combinations": plan.claim.valid_combinations,
            "strength": plan.claim.strength,
            "fixed": dict(plan.claim.fixed),
        },
        "cells": [
            {"trial": trial.id, "scenario": trial.scenario, "combination": dict(trial.combination)}
            for trial in plan.trials
        ],
    }
    return json.dumps(facts, indent=1) + "\n"
