"""Rules over columns: a small expression tree, and the features that it reads."""
