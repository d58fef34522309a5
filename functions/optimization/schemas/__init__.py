"""What the optimization group takes and gives, by noun."""
