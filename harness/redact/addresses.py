"""An address as it may be shown: a user and a password before the host let whoever reads them in."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?<=://)[^/?#]*@")


def without_login(address: str) -> str:
    """Return an address without user and password; what is no address, such as `package.module:factory`, as it is."""
    return _LOGIN.sub("", address, count=1)
