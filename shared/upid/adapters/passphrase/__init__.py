"""Encryption under a passphrase, for what travels."""
