"""Explore: stories that nobody wrote, judged as those that somebody did, and the smallest that fails kept as a file.

`program` is a story as data and `calls` knows what is possible in one; `interleave` makes programs with Hypothesis;
`render` tells one in Python, and that text is what is played and what is saved. `play` plays programs on a deployment,
several at once, `shrink` makes one that fails smaller, `explorer` divides the budget over the deployments and
leads from one to the next; `save` writes files, `show` tells people, `command` is what the command line calls.
"""
