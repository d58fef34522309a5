"""One folder per technology, each the implementation of one or more ports."""
