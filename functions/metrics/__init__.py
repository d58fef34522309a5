"""The metrics group: collections of usage."""
