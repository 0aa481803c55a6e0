"""A regression and feature-flag testing harness for telehealth deployments that must never mix up media."""

from harness.errors import FlagError, HarnessError, TargetError, UsageError
from harness.model import Combination, Finding, Flag, Medium, Recording, Trial, Verdict
from harness.scenario import (
    Carer,
    Clinician,
    Operator,
    Patient,
    Pharmacist,
    Visit,
    checkpoint,
    scenario,
    together,
)

__all__ = [
    "Carer",
    "Clinician",
    "Combination",
    "Finding",
    "Flag",
    "FlagError",
    "HarnessError",
    "Medium",
    "Operator",
    "Patient",
    "Pharmacist",
    "Recording",
    "TargetError",
    "Trial",
    "UsageError",
    "Verdict",
    "Visit",
    "checkpoint",
    "scenario",
    "together",
]
