"""The identity group: login and what a token stands for."""
