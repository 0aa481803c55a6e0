"""Reporting: what people and programs read of a finished run. Nothing in here judges."""
