"""What keeps one outside system that is dead, slow or flooded from costing the others anything."""
