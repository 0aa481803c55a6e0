"""Running: one trial (`trial`, `sweep`, `control`), many at once (`engine`, `deployment`), and what is left of it."""
