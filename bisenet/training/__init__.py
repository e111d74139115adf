"""The loop, and all that changes as it runs."""
