"""State machines in Amazon States Language (JSONPath), run durably on the record store.

`loader` refuses what the interpreter does not know when a file is read; `frames` runs states and records every step in a `journal`;
`pool` runs the tasks in worker processes; `engine` resumes what was running and watches for what is new.
"""
