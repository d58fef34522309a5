"""What containers used: samples, evidence, and the profiles that summarise history."""
