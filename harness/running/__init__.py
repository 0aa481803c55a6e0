"""Running: one trial, many at once, and what is left of them.

trial, questions, control    one trial: the story told, what the oracle asks after it, the planted foreign item
evidence, rank               what is kept of a trial that is not valid, and which of several is shown first
register, studio             whose canary is whose in this run; media made and read beside the event loop
deployment, engine, rigged   flags and target proved; all trials at once on them; a deployment without a plan
conductor                    the engine as ordinary code sees it, in a thread of its own
settings, directory, store   what was asked for; a directory that is held and written whole; the run's own
outcome                      the verdict and the exit code
recheck                      a stored run judged again
"""
