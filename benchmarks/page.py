"""``docs/benchmarks.md``: the table, and how to read it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.servers import ROOT
from benchmarks.table import Line, markdown

PAGE = ROOT / "docs" / "benchmarks.md"


def write(lines: Sequence[Line], facts: Sequence[str]) -> None:
    """Write the page."""
    PAGE.write_text(text(lines, facts))


def text(lines: Sequence[Line], facts: Sequence[str]) -> str:
    """The page, of today."""
    told = "\n".join(f"* {fact}" for fact in (*facts, f"{datetime.now(UTC):%Y-%m-%d}"))
    return _PAGE.format(table=markdown(lines), facts=told)


_PAGE = """<!-- Made by `make bench`: change `benchmarks/`, not this file. -->

# Benchmarks

Every promise of speed and size, each against its peers in the same run. `make bench` runs all and writes this page;
`make bench BENCH="query-u unit"` runs some and only prints them; `BENCH_UNITS=10000` takes a smaller demo.

{table}

Measured on:

{facts}

## What is missed, and what it would take

* *Query U from the snapshot, against the floor.* Over HTTP a constant answer of that size takes 2 ms; ours takes 6 ms
  in process: 3 turn 12 columns of 5,000 rows into text, one Polars expression on both cores, and the rest are copies of
  a MB, a thread's coming and going, and graphql-core around it. The columns' texts could be kept beside the columns,
  for 3 MB each: that would halve the 3 ms, and not meet the promise.
* *Query U from the live database, against the floor.* Of its processor time a sixth is the driver's, a third is making
  frames of rows (the driver gives tuples), joining and writing them, and the rest is small change: statements built and
  compiled, sockets, greenlets, threads. The floor's one JOIN costs MariaDB more than our four ranges do, but nothing
  else. What would help is a driver that gives columns.
* *One unit by key from the snapshot.* Granian takes 0.09 ms for any request. Of 0.2 ms in process a fifth finds the row
  and writes it; the rest is graphql-core's coercion and execution of an operation, Starlette, deadlines and headers, of
  which nothing stands out. An operation compiled to one function, past graphql-core's executor, would come near.
* *A tiny query beside query U, live.* Neither the collector nor threads that hold the interpreter keep it waiting (a
  shorter switch interval changes nothing): it waits for rows of the other query, which the driver decodes on the event
  loop, and for MariaDB and the client, which share two cores with both. Decoding in portions would help.
* *One trace as .npy.* Each costs a statement and a decoded envelope, where a static file is sent by the kernel.
* *One trace as JSON numbers.* Of 7.8 ms one writes the numbers and one inflates them; four make Python's numbers of
  them, look at each, count and write them again, the rest is the statement and HTTP. JSON carried beside the numbers
  would save those four; the promise compares with numbers that are at hand.

## How to read it

* Times are milliseconds until a client on the same machine has the whole answer: the median of a run's requests, then
  the median of five runs, and in brackets the worst of the five. CPU is processor time of the server's own processes, a
  request: it leaves out MariaDB and the client, and depends less on what else the machine does.
* Read the figure, not the milliseconds: it is the ratio within each run, in which everybody takes turns; its median
  stands beside its worst. A promise is judged by the median. What's missed stays printed as missed.
* Scan, page and the order of the fields change from one request to the next. There is no response cache.
* Before anything is timed, all answers are compared with each other. FLOATs are compared to six digits: that's all
  that MySQL's text protocol, which most peers use, tells of them.
* Query U is a scan's first 5,000 units with 7 scalars each and three satellites, about 1.2 MB. *In process* means no
  HTTP at all: the promise is made against the floor in process, so ours carries HTTP and the floor doesn't; the floor
  behind ASGI is there to compare like with like.
* Peers are written as their documentation has it, one file each in `benchmarks/peers/` and `benchmarks/node/`.
  Strawberry has SQLAlchemy Core and one aiodataloader a satellite. *Plain* means attributes from one JOIN. graphene and
  DataJoint 2 run in an environment of their own, since they want other versions (`benchmarks/requirements.txt`).
* PostGraphile is not run: it wants PostgreSQL, and Node.js 22, where everybody else here reads the same MariaDB.
* *Requests a second of a core* are requests over the processor time of the one worker's processes; by the clock, four
  connections ask at once, and client and database share the machine's cores.
* *Linear* is taken as: a row of the largest page costs at most 1.2 times one of a tenth of it. *Flat*: the last page
  takes at most 1.5 times as long as the first; memory grows by at most a tenth over a walk through all units.
* Tuning, oracle scores and rasters are of 30 and 100 units, which have traces in the demo: those of 5,000 are 0.8 GB.
* *Pending* rows wait for what they measure.
"""
