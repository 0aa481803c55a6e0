"""The clinic by its pages: the verbs of a driver, done in a browser as a person does them."""

from harness.targets.clinic.pages.driver import ClinicPages
from harness.targets.clinic.pages.shown import Shown

__all__ = ["ClinicPages", "Shown"]
