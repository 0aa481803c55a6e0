"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A deadline would assert a timing: what takes long on a busy machine is not wrong.
settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
