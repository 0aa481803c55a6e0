"""Drivers: one actor's hands on the target. `base` is the shape, each other module one way to move it."""
