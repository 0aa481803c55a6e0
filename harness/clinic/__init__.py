"""The reference telehealth clinic: a deployment to judge, with leaks that can be planted by name.

It runs as processes of its own (`python -m harness.clinic --help`), keeps everything in SQLite or PostgreSQL, asks an
Unleash server for its feature flags at the moment that it needs them, and imports nothing of the harness: the judged
must not know the judge.

    policy      who may do and see what, in one place
    flaws       what can be planted, and what each is modelled on
    systems/    one module each: its words, its tables, its SQL, its routes
    base/       what every system stands on: the running clinic, its data, its flags, its refusals
    web/        what answers over HTTP have in common
    footage/    the recorder's media work, bytes to bytes
    webrtc/     calls: rooms, peers, tracks
    pages/      what people see, as files
    process/    one process that serves, and several behind one address
    app         the systems under one roof
"""
