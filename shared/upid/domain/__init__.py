"""What the product speaks of: frozen models, identifiers, units, events and errors. Standard library only."""
