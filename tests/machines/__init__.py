"""State machines to test the workflows with: functions that tasks call, definitions, and an engine to run them."""
