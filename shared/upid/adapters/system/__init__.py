"""Time and chance as the operating system gives them."""
