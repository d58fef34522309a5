"""Encryption at rest under a master key that lies in a file."""
