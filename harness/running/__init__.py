"""Running: one trial, many at once, and what is left of them.

trial, sweep, control        one trial: the story told, the oracle's questions, the planted foreign item
register, studio             whose canary is whose in this run; media made and read beside the event loop
deployment, engine           flags and target proved; all trials at once on them
conductor                    the engine as ordinary code sees it, in a thread of its own
settings, store, outcome     what was asked for; the run's directory; the verdict and the exit code
recheck                      a stored run judged again
"""
