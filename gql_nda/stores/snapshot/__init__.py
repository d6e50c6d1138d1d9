"""A snapshot: all narrow columns of the 29 tables in mapped files, from which queries are answered without SQL.

``store`` puts it in front of a live store, which keeps the blobs. ``build`` and ``files`` make the files and
check them; ``wide`` says what stands beside a table's rows in them. ``answers`` is the query engine:
``index`` finds rows by key, ``predicates`` filters them, ``selection`` sorts and cuts, ``data`` reads columns.
"""

from gql_nda.stores.snapshot.build import Built, Folder, database_name
from gql_nda.stores.snapshot.store import SnapshotStore

__all__ = ["Built", "Folder", "SnapshotStore", "database_name"]
