"""A Ray head without cores and workers with a core each, on loopback."""

import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys

from archive import HARNESS, RANGE
from processes import below, is_program, kill, until

BIN = pathlib.Path(sys.executable).parent


def _port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class Submitted:
    """A `harness-ray` at work."""

    def __init__(self, process, log, session):
        self.process, self.log, self.session = process, log, session

    def running(self):
        """Whether it goes on."""
        return self.process.poll() is None

    def outcomes(self):
        """Its exit code and what became of each month, when it has ended."""
        out, _ = self.process.communicate(timeout=1200)
        months = json.loads(out or '{"months": []}')["months"]
        self.cpu_seconds = sum(month["cpu_seconds"] for month in months)
        return self.process.returncode, [month["outcome"] for month in months]

    def said(self):
        """What it logged, and what harness did on the nodes."""
        logs = [self.log, *sorted(self.session.glob("logs/worker-*"))]
        return "".join(log.read_text(errors="replace") for log in logs)


class Ray:
    """The cluster, until it is left."""

    name = "Ray"

    def __init__(self, folder, workers=2, tasks_a_worker=1):
        self.folder, self.workers, self.tasks_a_worker, self.nodes, self.number = folder, workers, tasks_a_worker, [], 0

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        self.folder.mkdir(parents=True)
        self.address = f"127.0.0.1:{_port()}"
        # A short path: sockets lie below it.
        self.temp = pathlib.Path(f"/tmp/ray-{os.getpid()}-{self.folder.name}")
        # Ray asks for a token unless told otherwise: one of this cluster's own, and nobody else's is looked at.
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        # Health checks as quick as a test of a few seconds needs.
        self.environment = {
            **os.environ,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": str(self.temp),
            "RAY_DISABLE_IMPORT_WARNING": "1",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_health_check_period_ms": "500",
            "RAY_health_check_failure_threshold": "3",
            "RAY_health_check_initial_delay_ms": "0",
            "LOG_LEVEL": "info",
        }
        self._node(
            "--head",
            "--port",
            self.address.rpartition(":")[2],
            "--num-cpus",
            "0",
            "--include-dashboard",
            "false",
            "--temp-dir",
            str(self.temp),
        )
        for number in range(self.workers):
            self._node(
                "--address", self.address, "--num-cpus", str(self.tasks_a_worker), "--memory", "4000000000", core=number
            )
        ask = "import ray; ray.init(log_to_driver=False); print(int(ray.cluster_resources().get('CPU', 0)))"
        cores = lambda: (
            subprocess.run([sys.executable, "-c", ask], env=self._client(), capture_output=True, text=True).stdout
        )
        until(lambda: cores().strip() == str(self.workers * self.tasks_a_worker), 90, "Ray's nodes")
        return self

    def _client(self):
        return {**self.environment, "RAY_ADDRESS": self.address}

    def _node(self, *arguments, core=None):
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        log = open(self.folder / f"node-{len(self.nodes)}.log", "w")
        command = [
            *pinned,
            str(BIN / "ray"),
            "start",
            "--block",
            "--node-ip-address",
            "127.0.0.1",
            "--disable-usage-stats",
            "--object-store-memory",
            "100000000",
            *arguments,
        ]
        self.nodes.append(subprocess.Popen(command, stdout=log, stderr=log, env=self.environment))
        # One after the other: nodes of one machine that start at once look for the same ports.
        until(lambda: "Ray runtime started" in pathlib.Path(log.name).read_text(), 120, "a node of Ray")

    def submit(self, store, raw=None):
        """All months, as one `harness-ray`."""
        self.number += 1
        log = self.folder / f"submit-{self.number}.log"
        more = ["--raw", str(raw)] if raw else []
        command = [
            str(BIN / "harness-ray"),
            "--months",
            RANGE,
            "--address",
            self.address,
            "--binary",
            HARNESS,
            "--memory-gb",
            "1",
            "--json",
            "--",
            "--store",
            store,
            "--cache-gb",
            "0",
            "--temp-dir",
            str(self.folder / "temp"),
            *more,
        ]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=open(log, "w"), env=self._client(), text=True
        )
        return Submitted(process, log, self.temp / "session_latest")

    def lose_a_worker(self):
        """The last node and all its processes, in the midst of a month."""
        node = self.nodes[-1].pid
        until(
            lambda: any(is_program(one, HARNESS) for one in below(node)), 60, "a month on the node that is to be lost"
        )
        kill(below(node))

    def __exit__(self, *_):
        for node in reversed(self.nodes):
            kill(below(node.pid))
            node.wait()
        subprocess.run(["rm", "-rf", str(self.temp)], check=False)
