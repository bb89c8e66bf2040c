"""slurmctld, munged and slurmd with a core each, on loopback."""

import json
import os
import pathlib
import re
import socket
import subprocess

from archive import HARNESS, RANGE, ROOT, call
from processes import below, is_program, kill, of_environment, until

SCRIPT = ROOT / "harness/deploy/slurm/harness.sbatch"


def _ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Submitted:
    """An array of Slurm at work."""

    def __init__(self, slurm, number, logs):
        self.slurm, self.number, self.logs = slurm, number, logs

    def _tasks(self):
        """The fields of every task, as slurmctld has them."""
        lines = self.slurm.ask("scontrol", "show", "job", "--oneliner", str(self.number)).splitlines()
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines]

    def running(self):
        """Whether tasks are left."""
        ended = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"}
        return any(task["JobState"] not in ended for task in self._tasks())

    def outcomes(self):
        """The worst exit code and what became of each month, when it has ended."""
        # Looking is a program of Slurm each time, on a core that the tasks need.
        until(lambda: not self.running(), 1200, "the tasks of Slurm", every=0.5)
        codes = [int(task["ExitCode"].partition(":")[0]) for task in self._tasks()]
        return max(codes), re.findall(r"\d{4}-\d\d (published by another|published|unchanged|failed)", self.said())

    def restarts(self):
        """How often tasks began again."""
        return sum(int(task.get("Restarts", 0)) for task in self._tasks())

    def said(self):
        """What its tasks logged."""
        return "".join(file.read_text() for file in sorted(self.logs.glob("*.log")))


class Slurm:
    """The cluster, until it is left."""

    name = "Slurm"

    def __init__(self, folder, workers=2, tasks_a_worker=1):
        self.folder, self.workers, self.tasks_a_worker = folder, workers, tasks_a_worker
        self.nodes, self.daemons, self.number = [], [], 0

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        (self.folder / "state").mkdir()
        controller, *ports = _ports(1 + self.workers)
        lines = [
            f"NodeName=n{number} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={self.tasks_a_worker} "
            "RealMemory=8000 State=UNKNOWN"
            for number, port in enumerate(ports)
        ]
        munge = self.folder / "munge"
        munge.mkdir(mode=0o755)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        # A node that does not answer is down after five seconds, not after five minutes.
        (self.folder / "slurm.conf").write_text(
            "\n".join(
                [
                    "ClusterName=loopback",
                    "SlurmctldHost=localhost(127.0.0.1)",
                    f"SlurmctldPort={controller}",
                    "SlurmUser=root",
                    "SlurmdUser=root",
                    "AuthType=auth/munge",
                    f"AuthInfo=socket={munge}/socket",
                    "CredType=cred/munge",
                    "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny",
                    f"StateSaveLocation={self.folder}/state",
                    f"SlurmdSpoolDir={self.folder}/%n",
                    f"SlurmctldPidFile={self.folder}/slurmctld.pid",
                    f"SlurmdPidFile={self.folder}/%n.pid",
                    "ProctrackType=proctrack/linuxproc",
                    "TaskPlugin=task/none",
                    "SelectType=select/cons_tres",
                    "SelectTypeParameters=CR_CPU",
                    "SlurmdParameters=config_overrides",
                    "SchedulerParameters=batch_sched_delay=0,sched_interval=2",
                    "SlurmdTimeout=5",
                    "ReturnToService=0",
                    "MpiDefault=none",
                    "JobAcctGatherType=jobacct_gather/none",
                    *lines,
                    "PartitionName=all Nodes=ALL Default=YES State=UP",
                    "",
                ]
            )
        )
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "LOG_LEVEL": "info",
            "PATH": f"{pathlib.Path(HARNESS).parent}:{os.environ['PATH']}",
        }
        self._daemon(
            "munged",
            "munged",
            "--foreground",
            "--force",
            f"--socket={munge}/socket",
            f"--key-file={munge}/key",
            f"--pid-file={munge}/pid",
            f"--seed-file={munge}/seed",
            f"--log-file={munge}/log",
            "--num-threads=2",
        )
        until((munge / "socket").exists, 20, "munge")
        self._daemon("slurmctld", "slurmctld", "-D", "-i")
        until(
            lambda: subprocess.run(["scontrol", "ping"], env=self.environment, capture_output=True).returncode == 0,
            30,
            "slurmctld",
        )
        for number in range(self.workers):
            self.nodes.append(
                self._daemon(f"n{number}", "taskset", "-c", str(number), "slurmd", "-D", "-N", f"n{number}")
            )
        up = lambda: self.ask("sinfo", "--noheader", "--Node", "--format=%T").split() == ["idle"] * self.workers
        until(up, 60, "the nodes of Slurm")
        return self

    def _daemon(self, name, *command):
        log = open(self.folder / f"{name}.log", "w")
        daemon = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        self.daemons.append(daemon)
        return daemon

    def ask(self, *command):
        """What a command of Slurm prints."""
        return call(*command, env=self.environment)

    def test_only(self):
        """What sbatch says of the script as it lies there, without submitting it."""
        done = subprocess.run(
            ["sbatch", "--test-only", str(SCRIPT), RANGE], env=self.environment, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def submit(self, store, raw=None):
        """All months, as an array with the script of `harness/deploy`: a task a node."""
        self.number += 1
        settings = self.folder / f"settings-{self.number}"
        settings.mkdir()
        lines = {
            "store": store,
            "cache_gb": 0,
            "temp_dir": str(self.folder / "temp"),
            "log_level": "info",
            **({"raw": str(raw)} if raw else {}),
        }
        (settings / "harness.toml").write_text(
            "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
        )
        number = self.ask(
            "sbatch",
            "--parsable",
            f"--array=0-{self.workers - 1}",
            f"--output={settings}/task-%a.log",
            f"--export=ALL,HARNESS_SETTINGS={settings}",
            str(SCRIPT),
            RANGE,
        )
        return Submitted(self, int(number.partition(";")[0]), settings)

    def lose_a_worker(self):
        """The last node and all its processes, in the midst of a task."""
        number = len(self.nodes) - 1
        line = f"SLURMD_NODENAME=n{number}"
        until(
            lambda: any(is_program(one, HARNESS) for one in of_environment(line)),
            60,
            "a task on the node that is to be lost",
        )
        kill(below(self.nodes[number].pid) | of_environment(line))

    def __exit__(self, *_):
        for number in range(self.workers):
            kill(of_environment(f"SLURMD_NODENAME=n{number}"))
        for daemon in reversed(self.daemons):
            kill(below(daemon.pid))
            daemon.wait()
