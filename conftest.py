"""The project's own pytest settings are in pyproject.toml; the harness plugin comes with the package."""
