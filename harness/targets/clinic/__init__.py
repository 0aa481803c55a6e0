"""The adapter of the reference clinic: its users' verbs by `api`, and by `pages` in a browser."""

from harness.targets.clinic.api import ClinicDriver
from harness.targets.clinic.target import ClinicTarget

__all__ = ["ClinicDriver", "ClinicTarget"]
