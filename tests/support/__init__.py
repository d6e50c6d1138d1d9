"""What tests share: real servers of their own, a client, counters."""
