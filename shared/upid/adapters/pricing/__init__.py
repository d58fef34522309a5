"""What nodes cost, from a table that comes with the product."""
