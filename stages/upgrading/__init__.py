"""What `stages/upgrade.py` asks: DVC, and the beginning of a training."""
