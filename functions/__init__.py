"""The edge: one folder per API group, the authorizer and what is not HTTP."""
