"""Feature flags under control: publish every combination at once, and prove that it is in force.

`base` says how a combination travels in a user's name and what a flag server must serve for that; `embedded`
serves it to unmodified Unleash SDKs; `settle` proves, before and during a run, that it is served.
"""
