"""Takes passwords, tokens and cookies out of what is kept as evidence."""

from __future__ import annotations


class Secrets:
    """Values that must not be kept."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> None:
        """Hide this value from now on."""
        self._values.add(value)

    def mask(self, text: str) -> str:
        """Return a text without the values."""
        for value in self._values:
            text = text.replace(value, "REDACTED")
        return text
