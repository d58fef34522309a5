"""The authorizer: API Gateway asks it who is calling before it calls a group."""
