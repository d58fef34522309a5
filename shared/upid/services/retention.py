"""How long usage is kept, tenant by tenant."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from upid.domain.errors import InvalidRequestError
from upid.ports.records import Key, Records

SHORTEST_DAYS = 8  # a week that sizing looks at, and the day that goes on
LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days that metrics are kept, each kind on the steps that it is read on.

    resource_days: samples as they were measured, and five-minute steps. performance_days: hours. cost_days: days.
    """

    resource_days: int = 90
    performance_days: int = 180
    cost_days: int = 365

    def days_of(self, step_seconds: int) -> int:
        """Return how long steps of this length are kept. [days]"""
        return self.cost_days if step_seconds >= 86400 else self.performance_days if step_seconds >= 3600 else self.resource_days

    def reaches(self, step_seconds: int, age_seconds: float) -> bool:
        """Return whether steps of this length are kept as long as that."""
        return age_seconds <= self.days_of(step_seconds) * 86400


@dataclass(frozen=True, slots=True)
class Retention:
    """The policies of tenants; one that has none keeps what the defaults say."""

    records: Records

    def of(self, tenant: str) -> RetentionPolicy:
        """Return a tenant's policy."""
        found = self.records.get(_key(tenant))
        return RetentionPolicy(**found.body) if found else RetentionPolicy()

    def set(self, tenant: str, policy: RetentionPolicy) -> None:
        """Keep a policy for a tenant; InvalidRequestError (pointers) for days that are too few or many, or fewer on longer steps."""
        days = [(field.name, getattr(policy, field.name)) for field in fields(policy)]
        faults: list[dict[str, str]] = [
            {"pointer": f"#/{name}", "detail": f"From {SHORTEST_DAYS} to {LONGEST_DAYS} days."}
            for name, value in days if not SHORTEST_DAYS <= value <= LONGEST_DAYS
        ]  # fmt: skip
        if not faults and sorted(value for _, value in days) != [value for _, value in days]:
            faults = [{"pointer": "#/cost_days", "detail": "Longer steps are kept at least as long as shorter ones."}]
        if faults:
            raise InvalidRequestError(faults)
        self.records.put(_key(tenant), _body(policy))


def _body(policy: RetentionPolicy) -> dict[str, Any]:
    return asdict(policy)


def _key(tenant: str) -> Key:
    return Key(f"t#{tenant}#settings", "retention")
