"""Who is compared with whom."""

from benchmarks.peer import Asgi, InProcess, Node, Peer, Running

_HERE = "benchmarks.peers"

FLOOR = InProcess("raw floor, in process", f"{_HERE}.floor")
LOADERS = Asgi("Strawberry + Core + aiodataloader", f"{_HERE}.strawberry_loaders")
JIT = Node("graphql-yoga + dataloader + mysql2 + graphql-jit", "yoga.mjs", ("--jit",))

PAGES: tuple[Peer[Running], ...] = (
    FLOOR,
    Asgi("raw floor behind ASGI", f"{_HERE}.floor"),
    LOADERS,
    Asgi("Strawberry, plain attributes, one JOIN", f"{_HERE}.strawberry_plain"),
    Asgi("graphene, plain attributes, one JOIN", f"{_HERE}.graphene_plain", apart=True),
    InProcess("DataJoint to_dicts + json", f"{_HERE}.datajoint_dicts", apart=True),
    Node("graphql-yoga + dataloader + mysql2", "yoga.mjs"),
    JIT,
)
"""All that answer query U."""

NOT_RUN = {"PostGraphile": "not run: it wants PostgreSQL and Node.js 22"}
"""Who is missing, and why."""
