"""The EM connectome: pictures of its volume."""
