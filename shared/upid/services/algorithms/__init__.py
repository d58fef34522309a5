"""Algorithms of the engine by name: what they take, presets of users, and what they found."""
