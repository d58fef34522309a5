"""What resources cost."""
