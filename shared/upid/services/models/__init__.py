"""Mathematical models: from a request to the engine and back."""
