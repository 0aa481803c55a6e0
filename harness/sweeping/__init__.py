"""`harness sweep`: every operation of the target's API as everybody, and whether an answer held what is another's.

Not to be confused with `harness.running.sweep`, which asks the oracle's questions after a story. Here a story only
makes data; then the API itself is asked, operation by operation, as its OpenAPI document describes it.

`facts` knows who may see what, and learns from what the target says to those who may; `known` finds its references in
texts. `seeing` finds texts, canaries and media in an answer, with `kinds` of files and those `embedded` in texts;
`judging` tells which of them are somebody else's; `check` is that judgement as a Schemathesis check, for anybody's
own run. `document` understands the OpenAPI document that `source` fetched, `pointers` its references; `cast` makes
people and data; `references` remembers what can be asked for, `cases` makes calls of it (`patterns` says what fits),
`caller` sends them, bounded by `transfer`; `itinerary` is what is asked in which order, `tour` asks it and reads on
over `pages`, `replaying` judges the story's own requests; `control` proves that the run sees; `outcome`, `show`,
`curl` and `secret` tell people and programs; `directory` is where it lies; `run` is one sweep while it goes on, and
`command` the way in.
"""
