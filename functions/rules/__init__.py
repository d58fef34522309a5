"""Rules, algorithms and classification (service 05)."""
