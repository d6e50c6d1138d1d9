"""Who is compared: each in a file of its own, as its library's documentation would have it."""
