"""What every test session needs: threads, hypothesis, and which tests run."""

from __future__ import annotations

import os
import sys
import warnings

# A worker of pytest-xdist has its neighbours on the other cores, and BLAS libraries that each start a thread per core
# make all of them slow. The libraries read these variables once, when NumPy is imported, so they are set here, at the
# top of the first file of ours that a worker reads. A value that the user set stays.
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
if "PYTEST_XDIST_WORKER" in os.environ:
    if "numpy" in sys.modules:
        warnings.warn(
            "a pytest plugin imported NumPy before tests/conftest.py: BLAS threads are not limited", stacklevel=1
        )
    for variable in BLAS_THREADS:
        os.environ.setdefault(variable, "1")

import hypothesis  # noqa: E402 (after the threads are set)
import pytest  # noqa: E402

# No deadlines: a busy machine is not a bug. In CI the examples are the same on every run, so a red run is the fault of
# the change that it ran on; at home they differ, so new ones are found.
hypothesis.settings.register_profile("graphc", deadline=None)
hypothesis.settings.register_profile("graphc-ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("graphc-ci" if os.environ.get("CI") else "graphc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        skip(items, "slow", "slow: runs with --slow")
    if any(item.get_closest_marker("peer") for item in items) and (reason := why_no_keras()):
        skip(items, "peer", f"peer: {reason}")


def skip(items: list[pytest.Item], marker: str, reason: str) -> None:
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=reason))


def why_no_keras() -> str:
    """Returns why Keras cannot be used, or an empty string when it can."""
    try:
        import keras  # noqa: F401
    except Exception as error:  # Keras without its backend raises whatever that backend's import raises.
        return f"keras cannot be imported ({error})"
    return ""
