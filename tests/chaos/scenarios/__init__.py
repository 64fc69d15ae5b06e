"""The rows of the failure matrix, each a named scenario."""

from tests.chaos.scenarios.deaths import DEATHS
from tests.chaos.scenarios.input import INPUT
from tests.chaos.scenarios.network import NETWORK
from tests.chaos.scenarios.notifications import NOTIFICATIONS
from tests.chaos.scenarios.operations import OPERATIONS
from tests.chaos.scenarios.stores import STORES

SCENARIOS = (*DEATHS, *STORES, *NETWORK, *OPERATIONS, *INPUT, *NOTIFICATIONS)
