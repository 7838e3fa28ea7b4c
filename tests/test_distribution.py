"""Our packages have general names: nothing that we install beside them may bring the same ones."""

from importlib.metadata import packages_distributions

import pytest


@pytest.mark.parametrize("package", ["consumers", "domain", "ledger", "projections", "tieout"])
def test_no_dependency_installs_a_package_of_our_name(package: str) -> None:
    # An editable install is known by its own entry, if at all; whatever else is listed is another's.
    assert set(packages_distributions().get(package, ())) <= {"tieout"}
