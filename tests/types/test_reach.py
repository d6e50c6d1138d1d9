"""How far a ``where`` may reach."""

from gql_nda.limits import Limits
from tests.support.client import Client

DOCUMENT = "query($where: UnitFilter) { units(where: $where) { totalCount } }"


def there_and_back(times: int) -> dict[str, object]:
    """A filter that goes from the unit to its mask and back, so many times."""
    where: dict[str, object] = {"umX": {"isNull": False}}
    for _ in range(times):
        where = {"mask": {"unit": where}}
    return where


async def test_far_but_within_the_limit(client: Client) -> None:
    everything = (await client.data(DOCUMENT))["units"]["totalCount"]
    far = await client.data(DOCUMENT, where=there_and_back(Limits().joins // 2))
    assert far["units"]["totalCount"] == everything > 0


async def test_too_far(client: Client) -> None:
    error = await client.error(DOCUMENT, where=there_and_back(Limits().joins // 2 + 1))
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "joins", "maximum": Limits().joins}


async def test_an_empty_cursor_is_no_cursor(client: Client) -> None:
    error = await client.error('{ units(after: "") { totalCount } }')
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
