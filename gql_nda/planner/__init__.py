"""Planned execution: a connection or a row by key is answered by level, not object by object.

``compile`` turns what graphql-core collects below a field into ``nodes``. ``text`` makes them JSON by a Polars
expression, for many rows, ``values`` by plain Python, for a few. ``answer``, ``connections`` and ``parts`` fetch and
put together; ``executor`` stands where graphql-core completes objects. What a plan can't say exactly is left to
graphql-core itself, by ``reference``.
"""
