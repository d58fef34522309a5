from __future__ import annotations

import pytest
from adapters.kubernetes.playing import Api


@pytest.fixture
def api() -> Api:
    return Api()
