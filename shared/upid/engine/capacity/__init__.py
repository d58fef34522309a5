"""How long capacity lasts, and how much of it is free."""
