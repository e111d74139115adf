"""One pass over a dataset: its statistics, its faults, its report."""
