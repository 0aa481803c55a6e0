"""The reference telehealth clinic: a deployment to judge, with leaks that can be planted by name.

It runs as a process of its own (`python -m harness.clinic --help`), keeps everything in SQLite, asks an
Unleash server for its feature flags at the moment that it needs them, and imports nothing of the harness:
the judged must not know the judge.

    accounts, consultations, uploads, replays   one system each: its words, its store, its routes
    policy                                      who may do and see what, in one place
    flaws                                       what can be planted, and what each is modelled on
    features, store, cache, state, errors       what the systems share
    app, __main__                               the whole, and the process around it
"""
