"""Peaks, and what recurs."""
