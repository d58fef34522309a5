"""What the metrics group takes and gives."""
