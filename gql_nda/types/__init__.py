"""The Strawberry types: a description of the graph, never instantiated."""
