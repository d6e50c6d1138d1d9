"""Planned execution: a connection or a row by key is answered by level, not object by object.

``compile`` turns what graphql-core collects below a field into nodes, ``render`` says how each becomes
JSON (a Polars expression for many rows, plain Python for a few), ``answer`` fetches and puts together, and
``executor`` stands where graphql-core completes objects. Whatever a plan can't say exactly is run by graphql-core.
"""
