"""The Allure report of a stored run. The ledgers are its one source, our verdict stands first, and Allure never judges.

`build` makes it: `results` tells each trial in Allure's terms (`categories`, `steps`, `attachments`), `verdict` the
run as a whole, with the `table` of every trial; `tool` finds and runs the pinned `allure`; `page` takes from its
page whatever reaches out; `history` keeps what later reports compare with; `place` puts the finished report where
it belongs. What is secret goes out by `harness.redact`.
"""
