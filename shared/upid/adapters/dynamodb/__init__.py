"""Records and the event store in one DynamoDB table with the key attributes `partition` and `sort`.

| partition | sort | holds |
|---|---|---|
| `r#<partition>` | `#<sort>` | a record |
| `e#<tenant>` | number | events committed together, never changed: `log.py` says why that gives one order |
| `i#<tenant>` | event id | the numbers under which an event of this id may lie |
| `outbox` | time, token | where committed events lie that are not published yet |
| `tenants` | `name#<tenant>`, `number#<n>` | the number of each tenant, a part of its events' sequence numbers |
"""
