"""What containers need: requests and limits from usage, with confidence, back-test and reasons."""
