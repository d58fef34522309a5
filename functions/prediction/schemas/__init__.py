"""What the prediction group takes and gives."""
