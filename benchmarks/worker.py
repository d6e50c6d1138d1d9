"""A process that answers questions: ``python -m benchmarks.worker MODULE``.

A line of JSON with the variables comes in; a line with the answer's size and the seconds it took goes out, then
the answer.
"""

import asyncio
import inspect
import json
import os
import sys
import time
from importlib import import_module


async def _serve(module: str) -> None:
    answer = import_module(module).answer
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # whatever else is printed
        for line in sys.stdin:
            variables = json.loads(line)
            begun = time.perf_counter()
            found = answer(variables)
            body = await found if inspect.isawaitable(found) else found
            seconds = time.perf_counter() - begun
            output.write(json.dumps([len(body), seconds]).encode() + b"\n" + body)
            output.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
