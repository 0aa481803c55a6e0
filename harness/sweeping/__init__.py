"""`harness sweep`: every operation of the target's API as everybody, and whether an answer held what is another's.

A story makes data, as in a run; then the API itself is asked, operation by operation, as its OpenAPI document describes
it. The rooms, each knowing those below:

asking      what is asked as whom, in which order: `references` remembers what can be asked for, `cases` makes calls of
            it (`patterns` says what fits), `caller` sends them; `itinerary` is the order, `tour` asks and reads on over
            `pages`, `reach` says how far that came, `curl` how a request is written down
judging     `facts` knows who may see what, and learns; `known` finds its references in texts; `seeing` finds texts,
            canaries and media in an answer, with `kinds` of files and those `embedded`; `judge` tells whose they are
describing  the OpenAPI document: fetched from its `source`, its `pointers` followed, understood as a `document`
wire        `transfer` decodes bodies within bounds; `secret` knows what lets somebody in

Above them: `cast` makes people and data, `replaying` judges the story's own requests, `control` proves that the sweep
sees, `run` is one sweep while it goes on, `outcome` and `show` tell people and programs, `directory` is where it lies;
`check` is the judgement for anybody's own Schemathesis run, and `command` the way in.
"""
