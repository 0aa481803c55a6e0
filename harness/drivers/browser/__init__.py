"""A real browser as an actor's hands: one Chromium for a target, and in it a context of its own for each actor."""

from harness.drivers.browser.answers import Answer
from harness.drivers.browser.camera import Emitted
from harness.drivers.browser.context import Session
from harness.drivers.browser.find import Browser, find
from harness.drivers.browser.launch import Chromium

__all__ = ["Answer", "Browser", "Chromium", "Emitted", "Session", "find"]
