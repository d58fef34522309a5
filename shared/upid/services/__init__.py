"""Use cases: one frozen dataclass per noun, its fields are its ports."""
