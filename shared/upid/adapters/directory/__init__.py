"""Blobs as files of a directory."""
