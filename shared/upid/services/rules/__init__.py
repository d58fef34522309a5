"""Rules as data: their language, the built-in ones, those of users, and what they find."""
