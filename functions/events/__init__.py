"""What is not HTTP: workflow tasks, schedules and consumers, one file per task, named as its state."""
