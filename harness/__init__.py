"""A regression and feature-flag testing harness for telehealth deployments that must never mix up media."""

from harness.errors import FlagError, HarnessError, TargetError, UsageError
from harness.model import Combination, Finding, Flag, Medium, Recording, Trial, Verdict
from harness.scenario import Clinician, Patient, Visit, scenario, together

__all__ = [
    "Clinician",
    "Combination",
    "Finding",
    "Flag",
    "FlagError",
    "HarnessError",
    "Medium",
    "Patient",
    "Recording",
    "TargetError",
    "Trial",
    "UsageError",
    "Verdict",
    "Visit",
    "scenario",
    "together",
]
