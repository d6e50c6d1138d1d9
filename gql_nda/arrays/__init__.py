"""Arrays on their way out: formats and what can be read out of a blob. No HTTP."""
