"""What builds the project: run from the checkout, never installed."""
