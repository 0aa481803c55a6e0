"""From a catalogue of flags to an ordered plan of trials, and from verdicts back to the smallest cause.

`catalogue` reads the flags, `exhaustive` enumerates and counts the valid combinations, `covering` chooses few of
them, `coverage` says which are played, `plan` holds the trials and the claim, `render` prints it before anything
runs, `narrow` says under which flags a target leaks and which are safe.
"""
