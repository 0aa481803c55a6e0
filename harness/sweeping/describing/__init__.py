"""The target's OpenAPI document: fetched, understood, and never followed to anybody else."""
