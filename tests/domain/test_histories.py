"""The identities of the domain hold after every step of any history (``histories``): more than 2,000 steps of it here."""

from histories import Histories
from hypothesis import HealthCheck, settings

Histories.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestHistories = Histories.TestCase
