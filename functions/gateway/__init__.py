"""The gateway group: health, routes, the OpenAPI document and its page."""
