"""Encryption at rest under a key of KMS."""
