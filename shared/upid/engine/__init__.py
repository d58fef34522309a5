"""Pure numerics over arrays: no I/O, clock, randomness, or knowledge of the rest of the product."""
