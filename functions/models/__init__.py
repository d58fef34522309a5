"""Mathematical models over inline series and stored usage."""
