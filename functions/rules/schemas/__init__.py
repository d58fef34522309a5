"""What the rules group takes and gives, by noun."""
