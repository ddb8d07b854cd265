"""PostgreSQL and MariaDB of this machine, started in a temporary folder on free ports of the loopback, for tests."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "p@ss/w:rd"
QUOTED = "p%40ss%2Fw%3Ard"


def install() -> None:
    """Servers that are missing come from apt, if this may install."""
    missing = []
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb") and not shutil.which("initdb"):
        missing.append("postgresql")
    if not shutil.which("mariadbd") and not os.path.exists("/usr/sbin/mariadbd"):
        missing.append("mariadb-server")
    if missing:
        if os.geteuid() != 0:
            raise SystemExit(f"not installed: {' '.join(missing)}")
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server of its own: `start`, `stop` and `kill` may be called again and again."""

    def __init__(self, user: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dbjob-server-"))
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.user = user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)

    def as_user(self, *command: str) -> list[str]:
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command] if os.geteuid() == 0 else list(command)

    def run(self, *command: str) -> str:
        done = subprocess.run(self.as_user(*command), cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.as_user(*self.command()), cwd=self.folder, stdout=log, stderr=log)
        for _ in range(300):
            try:
                self.sql("SELECT 1")
                return
            except RuntimeError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text()[-3000:])

    def end(self, signal: int) -> None:
        """To this one process, by its id."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal)
            self.process.wait(timeout=60)
        self.process = None

    def remove(self) -> None:
        self.end(3 if isinstance(self, Postgres) else 15)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> list[str]:
        raise NotImplementedError

    def sql(self, text: str) -> str:
        raise NotImplementedError


class Postgres(Server):
    kind = "postgres"

    def __init__(self) -> None:
        super().__init__("postgres")
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: float(p.split("/")[-2]))
        self.bin = Path(found[-1] if found else os.path.dirname(shutil.which("initdb") or ""))
        self.run(str(self.bin / "initdb"), "-D", "data", "-U", "root", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-N")
        (self.folder / "data/pg_hba.conf").write_text(
            "local all root trust\nhost all root 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.encrypt()
        self.start()
        self.sql(f"CREATE USER shop PASSWORD '{PASSWORD}'")
        self.run(str(self.bin / "createdb"), "-h", str(self.folder), "-p", str(self.port), "-U", "root", "-O", "shop", "shop")

    def encrypt(self) -> None:
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        key = ["-keyout", "data/server.key", "-out", "data/server.crt", "-days", "2", "-nodes"]
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", *key, *subject)
        os.chmod(self.folder / "data/server.key", 0o600)

    def command(self) -> list[str]:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "fsync": "off", "ssl": "on"}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", "data", *flags]

    def sql(self, text: str, database: str = "shop") -> str:
        database = database if "CREATE USER" not in text and text != "SELECT 1" else "postgres"
        base = ["-h", str(self.folder), "-p", str(self.port), "-U", "root", "-d", database]
        return self.run(str(self.bin / "psql"), *base, "-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-c", text)

    def url(self, user: str = "shop", password: str = QUOTED, database: str = "shop", host: str = "127.0.0.1", more: str = "") -> str:
        return f"postgres://{user}:{password}@{host}:{self.port}/{database}{more}"


class MariaDb(Server):
    kind = "mysql"

    def __init__(self) -> None:
        super().__init__("mysql")
        self.bin = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", "--auth-root-authentication-method=normal", "--skip-test-db")
        self.start()
        self.sql(f"CREATE DATABASE shop; CREATE USER shop@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON shop.* TO shop@'%'", "")

    def command(self) -> list[str]:
        options = {
            "datadir": f"{self.folder}/data",
            "socket": f"{self.folder}/socket",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-buffer-pool-size": "256M",
        }
        return [self.bin, "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]

    def sql(self, text: str, database: str = "shop") -> str:
        base = [f"--socket={self.folder}/socket", "-u", "root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
        named = [database] if database and text != "SELECT 1" else []
        return self.run("mariadb", "--no-defaults", *base, *named, "-e", text).replace("\t", "|")

    def url(self, user: str = "shop", password: str = QUOTED, database: str = "shop", host: str = "127.0.0.1", more: str = "") -> str:
        return f"mysql://{user}:{password}@{host}:{self.port}/{database}{more}"


if __name__ == "__main__":
    install()
    servers = [Postgres(), MariaDb()]
    print("\n".join(server.url() for server in servers), flush=True)
    try:
        input()
    finally:
        for server in servers:
            server.remove()
