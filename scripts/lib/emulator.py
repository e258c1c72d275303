#!/usr/bin/env python3
"""The AWS emulator of the sandbox: ministack, with our corrections, as one process.

It imports the pinned ministack, replaces functions of it at run time (`corrections/`), and serves the AWS API and the
registry under ECR's host name. No code of ministack's is copied. `--help` says what it does and what it leaves out.
"""

import argparse
import asyncio
import contextlib
import importlib.metadata
import ipaddress
import json
import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

# A clone may belong to somebody else than the user who starts its sandbox.
sys.dont_write_bytecode = True

import corrections  # noqa: E402 (after the line above)
from corrections.asgi import App, Message, Receive, Send  # noqa: E402

# The corrections replace private functions of exactly this version.
MINISTACK = "1.5.33"

LABEL = "cruddur-ops.sandbox"

HELP = """\
Runs a local AWS for the sandbox: ministack %s with our corrections. One listener
answers the AWS API, the other one, on an address of its own, the registry under
ECR's host name ACCOUNT.dkr.ecr.REGION.amazonaws.com; /etc/hosts has to send that
name to the address. ECS tasks are containers of the local Docker engine.
""" % MINISTACK

EPILOG = """\
When it is ready, one JSON line on stdout says where it listens; everything else
goes to stderr, and never a secret. SIGTERM or SIGINT save the state, remove the
containers and end it. One emulator runs per account and region; containers that a
killed one left behind are removed at the next start. They carry the label
cruddur-ops.sandbox=ACCOUNT-REGION.

State: repositories, images, parameters, roles, log groups, clusters and services
are kept in the state folder when it ends by a signal, and are there at the next
start; services start their tasks again. After a crash or SIGKILL the state is that
of the last orderly end. Layers of images are files there, not in memory; those of a
deleted repository go at the next start.

Not there: a data plane of Service Connect, permissions of IAM, real keys of KMS,
image scans, ECS Exec, throttling.

Exit codes: 0 ended by a signal, 2 could not start.
"""


def fail(message: str, hint: str = "") -> NoReturn:
    """Ends the process as every tool of the project does when it can't do its work."""
    print(f"emulator: error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    raise SystemExit(2)


class Parser(argparse.ArgumentParser):
    """Usage errors in the words of the project's other tools."""

    def error(self, message: str) -> NoReturn:
        fail(message, "`emulator.py --help` shows the usage")


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """An argument type that takes what matches the pattern as a whole."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise argparse.ArgumentTypeError(f"`{value}` is no {what}")
        return value

    return check


def loopback(value: str) -> str:
    """An argument type: the emulator lets everybody do everything, so it never listens beyond this machine."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"`{value}` is no IPv4 address") from error
    if not address.is_loopback:
        raise argparse.ArgumentTypeError(f"`{value}` is no address of loopback (127.x.y.z)")
    return value


def positive(value: str) -> float:
    """An argument type: a number above 0."""
    try:
        number = float(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"`{value}` is no number") from error
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"`{value}` is not above 0")
    return number


def port(value: str) -> int:
    """An argument type: a TCP port, or 0 for a free one."""
    if not value.isdecimal() or int(value) > 65535:
        raise argparse.ArgumentTypeError(f"`{value}` is no port")
    return int(value)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = Parser(
        prog="emulator.py",
        description=HELP,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    account, region = matching(r"\d{12}", "account id"), matching(r"[a-z]{2}(-[a-z]+)+-\d", "region")
    add("--account", type=account, required=True, help="the account id, 12 digits")
    add("--region", type=region, required=True, help="the region, us-east-1 say")
    add("--state", type=Path, required=True, metavar="FOLDER", help="where the state is kept; made when missing")
    add("--port", type=port, default=4566, help="port of the AWS API on 127.0.0.1; 0: a free one (default: 4566)")
    add("--registry-address", type=loopback, default="127.0.66.1", metavar="ADDRESS",
        help="loopback address of the registry (default: 127.0.66.1)")
    add("--registry-port", type=port, default=80, metavar="PORT",
        help="its port; the engine looks on 80 (default); 0: a free one")
    add("--health-divisor", type=positive, default=1, metavar="N",
        help="divides interval and start period of container health checks (default: 1)")
    add("--keep-failed", type=positive, default=300, metavar="SECONDS",
        help="how long a FAILED deployment stays listed beside a completed one (default: 300)")
    add("--token-lifetime", type=positive, default=12 * 3600, metavar="SECONDS",
        help="how long a registry password is valid (default: 43200, as on ECR)")
    return parser.parse_args()


def check_version() -> None:
    """Stops when another ministack is installed than the one the corrections were written for."""
    try:
        installed = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        fail("ministack is not installed", "run scripts/install-deps, and this with the Python of its environment")
    if installed != MINISTACK:
        fail(f"ministack {installed} is installed, and the corrections are for {MINISTACK}",
             "run scripts/install-deps, and this with the Python of its environment")


def claim(name: str) -> socket.socket:
    """Makes this process the only emulator of its account and region, until it ends in whatever way."""
    # A name in the kernel, not a file: nothing is left behind, and no process id can be another's by now.
    claimed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claimed.bind(f"\0cruddur-ops-emulator-{name}")
    except OSError:
        fail(f"another emulator of {name} runs on this machine", "one runs per account and region: stop that one first")
    return claimed


def listen(address: str, number: int) -> socket.socket:
    """Listens, or says why it can't. Clients that come early wait in the queue."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, number))
        listener.listen(128)
    except PermissionError as error:
        fail(f"failed to listen on {address}:{number}: {error.strerror}",
             "a port below 1024 takes root, or `sysctl net.ipv4.ip_unprivileged_port_start=80`")
    except OSError as error:
        fail(f"failed to listen on {address}:{number}: {error.strerror}",
             f"`ss -ltnp 'sport = :{number}'` shows who listens there")
    return listener


def make_state(folder: Path) -> Path:
    """The state folder, for its owner alone: it holds parameters in clear text."""
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("services", "docker"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        fail(f"failed to make the state folder `{folder}`: {error.strerror}")
    return folder.resolve()


def registry_key(folder: Path) -> bytes:
    """The key that registry passwords are made with; kept, so that they outlive a restart."""
    path = folder / "registry-key"
    try:
        with contextlib.suppress(FileExistsError), path.open("xb") as file:
            file.write(secrets.token_bytes(32))
        key = path.read_bytes()
    except OSError as error:
        fail(f"failed to read `{path}`: {error.strerror}")
    if len(key) != 32:
        fail(f"`{path}` does not hold a key of 32 bytes", "remove it: registry passwords become invalid, no more")
    return key


def set_environment(options: argparse.Namespace, api_port: int) -> None:
    """Ministack reads its settings from the environment while it is imported; the caller's own must not get in."""
    kept = ("DOCKER_CERT_PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "HOME", "LANG", "PATH", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    os.environ.clear()
    os.environ.update(environment)
    os.environ.update({
        "GATEWAY_PORT": str(api_port),
        "MINISTACK_ACCOUNT_ID": options.account,
        "MINISTACK_REGION": options.region,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(options.state / "services"),
        "S3_DATA_DIR": str(options.state / "s3"),
        # An empty folder: the emulator pulls with its own credentials, never with the caller's.
        "DOCKER_CONFIG": str(options.state / "docker"),
        # Listeners that nobody asked for, one of them on all addresses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # The debug level prints requests.
        "LOG_LEVEL": "INFO",
    })


def connect_engine() -> Any:
    """A client of the Docker engine. Without one ministack would claim that tasks run."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=10)
        client.ping()
    except (DockerException, OSError) as error:
        fail(f"the Docker engine does not answer: {error}", "start it, or point DOCKER_HOST at one that runs")
    return client


def sweep(engine: Any, label: str) -> None:
    """Removes the containers of this account and region: leftovers at the start, tasks at the end."""
    from docker.errors import DockerException

    try:
        for container in engine.containers.list(all=True, sparse=True, filters={"label": label}):
            with contextlib.suppress(DockerException):
                container.remove(force=True, v=True)
    except (DockerException, OSError) as error:
        logging.getLogger("emulator").warning("failed to remove containers labelled %s: %s", label, error)


def announcing(app: App, ready: str) -> App:
    """Prints the ready line when the application has started."""

    async def announced(scope: Message, receive: Receive, send: Send) -> None:
        async def send_and_announce(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(ready, flush=True)

        await app(scope, receive, send_and_announce if scope["type"] == "lifespan" else send)

    return announced


async def serve(app: App, listeners: list[socket.socket]) -> None:
    """Serves on the sockets until a signal ends it."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    # Hypercorn closes what it gets, and so do we: each its own.
    config.bind = [f"fd://{os.dup(listener.fileno())}" for listener in listeners]
    config.keep_alive_timeout = 75
    # Otherwise each line comes twice.
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 1
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def stopped() -> None:
        await stop.wait()
        corrections.STOPPING.set()

    await hypercorn_serve(app, config, shutdown_trigger=stopped)


def main() -> None:
    """Binds first, so that a second copy fails before it can do harm; then imports, corrects and serves."""
    options = arguments()
    check_version()
    name = f"{options.account}-{options.region}"
    claimed = claim(name)
    api, registry = listen("127.0.0.1", options.port), listen(options.registry_address, options.registry_port)
    options.state = make_state(options.state)
    api_port, registry_port = api.getsockname()[1], registry.getsockname()[1]
    set_environment(options, api_port)
    engine = connect_engine()
    label = f"{LABEL}={name}"
    sweep(engine, label)

    app = corrections.install(corrections.Settings(
        account=options.account,
        region=options.region,
        state=options.state,
        registry_key=registry_key(options.state),
        token_lifetime=options.token_lifetime,
        health_divisor=options.health_divisor,
        keep_failed=options.keep_failed,
        label=(LABEL, name),
    ))
    ready = json.dumps({
        "endpoint": f"http://127.0.0.1:{api_port}",
        "pid": os.getpid(),
        "registry": f"{options.account}.dkr.ecr.{options.region}.amazonaws.com",
        "registry_address": f"{options.registry_address}:{registry_port}",
        "docker": engine.version()["Version"],
    })
    asyncio.run(serve(announcing(app, ready), [api, registry]))
    sweep(engine, label)
    claimed.close()
    logging.shutdown()
    # Threads of ministack's may still wait for the engine; nothing of theirs is worth waiting for.
    os._exit(0)


if __name__ == "__main__":
    main()
