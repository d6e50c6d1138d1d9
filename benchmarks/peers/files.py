"""Starlette's static files behind Granian: what the array routes are compared with. Its database is a folder."""

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

app = Starlette(routes=[Mount("/", StaticFiles(directory=os.environ["BENCH_DATABASE"]))])
