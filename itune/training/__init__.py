"""The loop and what it needs: optimizers, checkpoints, records and progress."""
