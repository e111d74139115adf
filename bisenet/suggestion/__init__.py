"""A first dataset.yaml for a folder that somebody has: what its files are, and what stands in its labels."""
