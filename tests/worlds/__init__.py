"""Small worlds that tests of several parts live in."""
