"""Pure NumPy and SciPy on columns of units: no I/O, no GraphQL, no caches. One concept a file."""
