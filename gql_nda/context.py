"""What the resolvers of one request share."""

from dataclasses import dataclass, field

from gql_nda.dataset import Dataset
from gql_nda.errors import ArrayTooLarge
from gql_nda.limits import Limits
from gql_nda.loaders import Loaders
from gql_nda.stores import Store


@dataclass
class Context:
    """One request: its loaders, its limits, and the address that array hrefs start with."""

    store: Store
    dataset: Dataset
    limits: Limits = field(default_factory=Limits)
    base_url: str = ""
    loaders: Loaders = field(init=False)
    _values: int = 0

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.store)

    def spend_values(self, count: int) -> None:
        """Count array values towards what one operation may return."""
        self._values += count
        most = self.limits.operation_values
        if self._values > most:
            message = f"operation_values: more than {most} array values in one operation; use href instead"
            raise ArrayTooLarge(message, limit="operation_values", maximum=most)
