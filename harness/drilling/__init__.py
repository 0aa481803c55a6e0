"""The drill: does the harness see? The sound clinic must be clean, and each planted flaw seen by the check it names.

`cheapest` chooses, for each flaw, the one combination that can wake it at least cost; `exercise` is one run in a
process of its own; `sight` makes a row of what such a run said; `drill` plays several of them side by side into one
directory; `show` tells people and programs.

Each exercise is a process (`python -m harness.drilling.exercise`) and in it an ordinary run: a `Session` with the
engine, the control and the run's directory of `harness run`, only its plan is made here. So a flaw is seen by what a
user would see it with, `harness check` reads what was stored, nothing of one clinic can touch another's, one that
crashes costs its own row, and the cores are used. It is not pytest's: an exhaustive plan of a large catalogue would be
collected item by item, thousands for every one that is played.

Which scenario wakes a flaw is the drill's to find out, not to be told: under that one combination the shipped ones are
played one after the other, in the order of their files, until the check that the flaw names has found something. So
"in trial 3" means something, and a flaw that mixes up whatever happens at once meets the few that a story has at once
and not a crowd that breaks every story. What is left of the plan is then not executed, and the stored run says so. A
flaw that no story wakes by itself gets a second turn, all stories at once as `harness run` plays them: it may need a
crowd. The sound clinic plays everything, many at once.
"""
