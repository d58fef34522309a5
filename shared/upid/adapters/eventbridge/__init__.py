"""Events to other systems by EventBridge."""
