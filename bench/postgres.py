#!/usr/bin/env python3
"""postgres.py BUILD: measures the release build in BUILD on a PostgreSQL of its own beside pgbench, and both engines at growing numbers of members; writes the second part of
docs/performance.md. pgbench has as many clients as openrd, on the same machine, in alternating rounds of the same run."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import run as common

sys.path.append(str(common.ROOT / "tests"))
from support import postgres  # noqa: E402

ROUNDS, SECONDS = 3, 4
CONNECTIONS = 4 * os.cpu_count()
READ_CONNECTIONS, BIND_CONNECTIONS, BINDS = 32, 64, 3000
SIZES = [int(n) for n in os.environ.get("BENCH_SIZES", "10000 100000 1000000").split()]


class Postgres(postgres.Postgres):
    """A cluster with fsync, where the measured disk is."""

    def __init__(self):
        super().__init__("max_connections = 300", "shared_buffers = 1GB", "max_wal_size = 8GB", durable=True, under=os.environ.get("BENCH_DIR", "/var/tmp"))

    def pgbench(self, clients, mode, protocol):
        done = subprocess.run(["pgbench", "-n", "-M", protocol, mode, "-c", str(clients), "-j", "2", "-T", str(SECONDS), self.url("pgbench")], check=True, capture_output=True, text=True)
        return float(next(line.split("=")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("tps")))


def rows(count, offset=0):
    """What `load fill` inserts, made by the database itself."""
    series = f"generate_series({offset}, {offset + count - 1}) i"
    member = "'17' || lpad(CAST(i AS TEXT), 14, '0')"
    return (
        "INSERT INTO accounts (account_id, account_name, display_name, email, site, standing, directory_id, enterprise_name, enterprise_state, root_enabled, created_at_ms) "
        f"SELECT {member}, 'm' || i || '@rd-sandbx.aliyunid.com', 'member', 'm@example', 'international', 'member', 'rd-sandbx', '', 'unverified', 0, 1 FROM {series}",
        "INSERT INTO members (directory_id, account_id, folder_id, account_name, display_name, folded_name, type, status, join_method, joined_at_ms, modified_at_ms, payer_account_id, "
        f"resell_account_type) SELECT 'rd-sandbx', {member}, 'r-sandbx', 'm' || i || '@rd-sandbx.aliyunid.com', 'member ' || i, 'member ' || i, 'ResourceAccount', 'CreateSuccess', "
        f"'created', 1, 1, {member}, 'resell' FROM {series}",
        f"UPDATE directories SET member_count = member_count + {count} WHERE directory_id = 'rd-sandbx'",
        "ANALYZE",
    )


def against_pgbench(cluster, folder, size):
    data = pathlib.Path(folder) / "data"
    data.mkdir(mode=0o700)
    database = ("--database", cluster.url("openrd"), "--database-connections", str(CONNECTIONS))
    os.environ["OPENRD_LOAD_DATABASE"] = cluster.url("openrd")
    common.Openrd(str(data), database=database).stop()
    cluster.sql(*rows(size), database="openrd")
    result = {"reads": [], "selects": [], "prepared_selects": [], "binds": [], "updates": [], "prepared_updates": [], "read_latency": [], "bind_latency": []}
    server = common.Openrd(str(data), 2, database=database)
    try:
        # Rows in every table, and what the autovacuum knows of them within a minute; pgbench analyzes its own when it makes them.
        common.load("bind", server.address, str(data), BIND_CONNECTIONS, ROUNDS * BINDS, 1000)
        cluster.sql("ANALYZE", database="openrd")
        for n in range(ROUNDS):
            read = common.load("read", server.address, size, READ_CONNECTIONS, SECONDS)
            result["reads"].append(read["per_second"]), result["read_latency"].append((read["p50_ms"], read["p99_ms"]))
            result["selects"].append(cluster.pgbench(READ_CONNECTIONS, "-S", "simple"))
            result["prepared_selects"].append(cluster.pgbench(READ_CONNECTIONS, "-S", "prepared"))
            bind = common.load("bind", server.address, str(data), BIND_CONNECTIONS, n * BINDS, BINDS)
            result["binds"].append(bind["per_second"]), result["bind_latency"].append((bind["p50_ms"], bind["p99_ms"]))
            result["updates"].append(cluster.pgbench(BIND_CONNECTIONS, "-N", "simple"))
            result["prepared_updates"].append(cluster.pgbench(BIND_CONNECTIONS, "-N", "prepared"))
        one = statistics.median(common.load("read", server.address, size, READ_CONNECTIONS, SECONDS)["per_second"] for _ in range(ROUNDS))
        second = common.Openrd(str(data), 2, database=database)
        try:
            both = []
            for _ in range(ROUNDS):
                halves = [subprocess.Popen([common.LOAD, "read", s.address, str(size), str(READ_CONNECTIONS // 2), str(SECONDS)], stdout=subprocess.PIPE, text=True) for s in (server, second)]
                answers = [json.loads(half.communicate()[0]) for half in halves]
                assert not any(answer["bad"] for answer in answers)
                both.append(sum(answer["per_second"] for answer in answers))
        finally:
            second.stop()
    finally:
        server.stop()
    result["one_node"], result["two_nodes"] = one, statistics.median(both)
    return result


def latencies(server, data, size, first):
    get = common.load("read", server.address, size, 4, SECONDS)
    page = common.load("list", server.address, size, 4, SECONDS)
    bind = common.load("bind", server.address, data, 4, first, 400)
    return {"GetAccount": get, "ListAccounts": page, "BindSecureMobilePhone": bind}


def growing(cluster, folder):
    table = {}
    for engine in ("SQLite", "PostgreSQL"):
        data = pathlib.Path(folder) / f"growing-{engine}"
        data.mkdir(mode=0o700)
        database = ("--database", cluster.url("growing")) if engine == "PostgreSQL" else ()
        os.environ.pop("OPENRD_LOAD_DATABASE", None)
        if database:
            os.environ["OPENRD_LOAD_DATABASE"] = cluster.url("growing")
        common.Openrd(str(data), database=database).stop()
        there = 0
        for number, size in enumerate(SIZES):
            if database:
                cluster.sql(*rows(size - there, there), database="growing")
            else:
                common.load("fill", str(data), size, there)
            there = size
            server = common.Openrd(str(data), 1, database=database)
            try:
                table[engine, size] = latencies(server, str(data), size, number * 400)
            finally:
                server.stop()
    return table


def main():
    where = common.machine()
    with tempfile.TemporaryDirectory(prefix="openrd-bench-", dir=os.environ.get("BENCH_DIR", "/var/tmp")) as folder:
        with Postgres() as cluster:
            cluster.create_database("pgbench")
            cluster.create_database("growing")
            subprocess.run(["pgbench", "-i", "-q", "-s", "10", cluster.url("pgbench")], check=True, capture_output=True)
            r = against_pgbench(cluster, folder, 100_000)
            table = growing(cluster, folder)
    mid = statistics.median
    ratio = lambda a, b: mid(x / y for x, y in zip(r[a], r[b]))
    lines = []
    worst = {}
    for engine in ("SQLite", "PostgreSQL"):
        for operation in ("GetAccount", "ListAccounts", "BindSecureMobilePhone"):
            of = [table[engine, size][operation] for size in SIZES]
            growth = [max(x[p] for x in of) / of[0][p] for p in ("p50_ms", "p99_ms")]
            worst[engine, operation] = growth
            lines.append(f"| {engine} | {operation} | " + " | ".join(f"{x['p50_ms']:.2f} / {x['p99_ms']:.2f}" for x in of) + f" | {growth[0]:.2f} / {growth[1]:.2f} |")
    page = f"""
# On PostgreSQL

By `./dev bench postgres` on {time.strftime("%Y-%m-%d")} ({where}): PostgreSQL {subprocess.run([str(postgres.BINARIES / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout.split()[2]} with fsync, openrd, pgbench and the generator share
the machine. pgbench (scale 10) has as many clients as openrd has; openrd has {CONNECTIONS} connections to the database (four for each core, not the 32 as delivered: chosen after a run with 80, see docs/cluster.md); medians of {ROUNDS} alternating rounds of {SECONDS} s. `-S` selects one row; `-N` ("simple update") updates one row, selects it and
inserts one. What a Bind is made of: docs/cluster.md.

| | openrd/s | p50 / p99 | pgbench/s, its default protocol | ratio | pgbench/s, `-M prepared` | ratio |
|---|---|---|---|---|---|---|
| signed GetAccount, {READ_CONNECTIONS} connections; `pgbench -S` | {mid(r["reads"]):,.0f} | {mid(x[0] for x in r["read_latency"]):.1f} / {mid(x[1] for x in r["read_latency"]):.1f} ms | {mid(r["selects"]):,.0f} | **{ratio("reads", "selects"):.2f}** | {mid(r["prepared_selects"]):,.0f} | {ratio("reads", "prepared_selects"):.2f} |
| BindSecureMobilePhone, {BIND_CONNECTIONS} connections; `pgbench -N` | {mid(r["binds"]):,.0f} | {mid(x[0] for x in r["bind_latency"]):.1f} / {mid(x[1] for x in r["bind_latency"]):.1f} ms | {mid(r["updates"]):,.0f} | **{ratio("binds", "updates"):.2f}** | {mid(r["prepared_updates"]):,.0f} | {ratio("binds", "prepared_updates"):.2f} |

Aims: 0.60 and 0.50. Two servers on one database, half of the connections each: {r["two_nodes"]:,.0f} reads/s beside {r["one_node"]:,.0f} of one (ratio {r["two_nodes"] / r["one_node"]:.2f}).

## As a directory grows
p50 / p99 in ms with 4 connections; the last column is the largest over the smallest directory's.

| engine | operation | {" | ".join(f"{size:,} members" for size in SIZES)} | growth |
|---|---|{"---|" * len(SIZES)}---|
{chr(10).join(lines)}

Aim: within 1.5 times.
"""
    common.write_part(page, 1)


if __name__ == "__main__":
    main()
