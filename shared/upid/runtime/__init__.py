"""The embedded runtime: reads template.yaml and runs gateway, workflows, schedules and events in one process."""
