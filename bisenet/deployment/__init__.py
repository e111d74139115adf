"""A checkpoint -> files that other runtimes run, and the proof that they see the same."""
