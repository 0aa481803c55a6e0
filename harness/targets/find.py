"""How `--target` finds an adapter: by a name that a package has announced, by address, or by its factory."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import entry_points
from pathlib import Path

from harness.errors import UsageError, nearest
from harness.targets.base import Factory

GROUP = "harness.targets"
OF_AN_ADDRESS = "clinic"


def find(text: str) -> tuple[Factory, str | None]:
    """Resolve `--target`: an announced name, the address of a running clinic, or `package.module:factory`.

    Names are entry points of the group `harness.targets`. Returns the factory and the address, if one was
    given. Raises UsageError for anything else.
    """
    announced = {point.name: point for point in entry_points(group=GROUP)}
    if text.startswith(("http://", "https://")):
        factory: Factory = announced[OF_AN_ADDRESS].load()
        return factory, text.rstrip("/")
    if text in announced:
        factory = announced[text].load()
        return factory, None
    name, colon, attribute = text.partition(":")
    if not colon:
        raise UsageError(
            f"--target {text}: no such target{nearest(text, announced) or ';'} give {', '.join(sorted(announced))}, "
            "the address of a running clinic (http://...), or `package.module:factory` of an adapter"
        )
    if str(Path.cwd()) not in sys.path:
        # As `python -m` does, and unlike an installed command: an adapter may lie in the folder where one stands.
        sys.path.insert(0, str(Path.cwd()))
    try:
        factory = getattr(importlib.import_module(name), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"--target {text}: {error}") from error
    return factory, None
