"""Benchmarks of the platform itself: data of a known size, a fresh process, wall time and memory."""
