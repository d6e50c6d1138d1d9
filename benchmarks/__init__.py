"""Promises of speed and size, each measured against its peers in the same run: ``make bench``."""
