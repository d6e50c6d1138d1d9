"""What DataJoint's peers have in common: the database's tables as its users see them."""

from functools import lru_cache
from typing import Any

import datajoint as dj

from benchmarks.peers.joined import address


@lru_cache
def nda() -> Any:
    """The database's tables, read from the database."""
    where = address()
    dj.config["database.host"], dj.config["database.port"] = where["host"], where["port"]
    dj.config["database.user"], dj.config["database.password"] = where["user"], where["password"]
    dj.config["database.use_tls"], dj.config["loglevel"] = False, "ERROR"
    return dj.create_virtual_module("nda", where["db"])
