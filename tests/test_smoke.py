"""The whole way through, once."""

from tests.support.client import Client


async def test_best_units(client: Client) -> None:
    data = await client.data(
        """query($n: Int!) { scan(session: 4, scanIdx: 7) {
             units(first: $n, orderBy: [{field: PEARSON, direction: DESC}]) {
               totalCount nodes { oracle { pearson } activity { trace { shape } } } } } }""",
        n=3,
    )
    units = data["scan"]["units"]
    assert len(units["nodes"]) == 3 <= units["totalCount"]
    scores = [unit["oracle"]["pearson"] for unit in units["nodes"]]
    assert scores == sorted(scores, reverse=True)
    assert units["nodes"][0]["activity"]["trace"]["shape"] == [40000]
