"""Usage history as columnar chunks on the blob store."""
