"""A network operator: it receives."""

from gateway.users.mailbox import Delivery
from gateway.users.user import ServiceUser
from protocols.duis.alerts import PowerOutageEvent


class NetworkOperator(ServiceUser):
    """An electricity distributor. Its mailbox shows which outages it was told of."""

    @property
    def outages(self) -> list[Delivery]:
        """Every AD1 received, in order."""
        return [delivery for delivery in self.mailbox.deliveries if isinstance(delivery.dcc_alert, PowerOutageEvent)]
