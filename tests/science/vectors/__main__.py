"""Writes the vectors."""

from tests.science.vectors import write

write()
