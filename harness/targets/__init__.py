"""Targets: deployments under test. `base` is the shape of an adapter, each other module one that is shipped."""
