"""Who is calling, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request. `permissions` are like `clusters:read`; `*` stands for all, `clusters:*` for all of a noun."""

    user_id: str
    username: str
    tenant: str
    permissions: tuple[str, ...]

    def may(self, permission: str) -> bool:
        """Tell whether the caller holds this permission."""
        noun = permission.partition(":")[0]
        return not {"*", permission, f"{noun}:*"}.isdisjoint(self.permissions)
