"""Optimization: analyses and recommendations."""
