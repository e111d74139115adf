"""Label maps beside the truth."""
