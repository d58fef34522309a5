"""What the models group takes and gives."""
