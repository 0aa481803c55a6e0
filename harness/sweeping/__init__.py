"""`harness sweep`: every operation of the target's API as everybody, and whether an answer held what is another's.

Not to be confused with `harness.running.sweep`, which asks the oracle's questions after a story. Here a story only
makes data; then the API itself is asked, operation by operation, as its OpenAPI document describes it.

`facts` knows who may see what, and learns from what the target says to those who may; `seeing` finds identifiers,
canaries and media in an answer; `judging` tells which of them are somebody else's; `check` is that judgement as a
Schemathesis check, for anybody's own run. `document` understands the OpenAPI document that `source` fetched; `cast`
makes people and data; `references` remembers what can be asked for, `cases` makes calls of it, `caller` sends them,
`tour` decides what is asked in which order; `control` proves that the run sees; `outcome` and `show` tell people and
programs; `place` is the directory; `run` is one sweep while it goes on, and `command` the way in.
"""
