"""What a person reads of each row, exact from samples or within a bucket from a profile."""

from upid.engine.usage.exact import exact_evidence
from upid.engine.usage.figures import Evidence, Spread
from upid.engine.usage.summarised import profile_evidence

__all__ = ["Evidence", "Spread", "exact_evidence", "profile_evidence"]
