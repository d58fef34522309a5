"""A store of usage that may be away for a while, with a buffer on blobs before it."""
