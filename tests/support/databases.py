"""Throw-away servers, PostgreSQL and Redis: in a folder of their own, on a Unix socket only.

PostgreSQL refuses to be run by root: then it is another user's.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.tools import require_tool, required

_DEBIAN = Path("/usr/lib/postgresql")


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL; without it skip the test, or fail it where tools are required."""
    found = shutil.which(name) or next((str(path) for path in sorted(_DEBIAN.glob(f"*/bin/{name}"))), None)
    if found is None and required():
        pytest.fail(f"{name} is not installed, and HANLAB_REQUIRE_TOOLS=1 asks for it")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _other_user() -> str | None:
    """Return who runs the server: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("no user but root to run a server as")


class PostgresqlServer:
    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0

    def url(self, database: str) -> str:
        return f"postgresql://hanlab@/{database}?host={self._folder}"

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        self._made += 1
        name = f"store_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Run a server as long as the context; nothing of it is left behind."""
    initdb, postgres, user = _program("initdb"), _program("postgres"), _other_user()
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="hanlab-pg-"))
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    with (folder / "log").open("wb") as log:
        make = [initdb, "-D", str(data), "-U", "hanlab", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(make, user=user, check=True, stdout=log, stderr=log, cwd=folder)
        run = [postgres, "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        server = subprocess.Popen(run, user=user, stdout=log, stderr=log, cwd=folder)
        try:
            _await_ready(PostgresqlServer(folder), server, folder / "log")
            yield PostgresqlServer(folder)
        finally:
            server.terminate()
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def _await_ready(server: PostgresqlServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Connect until it answers: there is nothing else to wait for."""
    import psycopg

    for _ in range(300):
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")
        else:
            return
    pytest.fail(f"PostgreSQL does not answer: {log.read_text(errors='replace')[-500:]}")


@contextmanager
def redis_server() -> Iterator[Path]:
    """Run a Redis that keeps nothing on disk; the socket it listens at."""
    program = require_tool("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="hanlab-redis-"))
    socket = folder / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)],
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if b"ready to accept connections" in line.lower():
                break
        else:
            pytest.fail("Redis did not start")
        yield socket
    finally:
        server.terminate()
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)
