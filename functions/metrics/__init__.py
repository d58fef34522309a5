"""The metrics group: collections, collectors, usage now and then."""
