"""The run that most tests here look at."""

import pytest

from tests.support.demo_run import DemoRun, honest_run


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """A run without a defect."""
    return honest_run(tmp_path_factory)
