"""How far figures are to be believed."""
