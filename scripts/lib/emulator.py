#!/usr/bin/env python3
"""The AWS emulator of the sandbox: ministack with corrections, in one process.

It imports the pinned ministack, replaces some of its functions at run time (`corrections/`), and serves the AWS API and
the registry under ECR's host name. No code of ministack is copied.
"""

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import logging
import os
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import Any, cast

# The user who starts the sandbox may not be the owner of the clone.
sys.dont_write_bytecode = True

import corrections  # noqa: E402
from corrections.asgi import App, Message, Receive, Send  # noqa: E402
from emulator_arguments import arguments, fail  # noqa: E402

# The corrections replace private functions of exactly this version.
MINISTACK = "1.5.33"

LABEL = "cruddur-ops.sandbox"


def check_version() -> None:
    """Requires the version of ministack that the corrections are written for."""
    try:
        installed = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        fail("ministack is not installed", "run scripts/install-deps, and this with the Python of its environment")
    if installed != MINISTACK:
        fail(f"ministack {installed} is installed, and the corrections are for {MINISTACK}",
             "run scripts/install-deps, and this with the Python of its environment")


def claim(name: str) -> socket.socket:
    """Makes this process the only emulator of its account and region until it ends."""
    # An abstract socket name: the kernel releases it however the process ends.
    claimed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claimed.bind(f"\0cruddur-ops-emulator-{name}")
    except OSError:
        fail(f"another emulator of {name} runs on this machine", "one runs per account and region: stop that one first")
    return claimed


def listen(address: str, number: int) -> socket.socket:
    """Listens. Clients that connect before the emulator serves wait in the queue."""
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
    """The state folder, readable by its owner only: it holds parameters in clear text."""
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("services", "docker"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        fail(f"failed to make the state folder `{folder}`: {error.strerror}")
    return folder.resolve()


def registry_key(folder: Path) -> bytes:
    """The key that registry passwords are signed with; kept, so that they stay valid after a restart."""
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
    """Sets the environment that ministack reads while it is imported, without the caller's variables."""
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
        # In seconds. The engine of a busy machine is slow.
        "MINISTACK_DOCKER_TIMEOUT": "60",
        # Unneeded listeners, one of them on all addresses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # The debug level prints requests.
        "LOG_LEVEL": "INFO",
    })


def connect_engine() -> Any:
    """A client of the Docker engine. Without an engine ministack reports tasks as running that do not exist."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=10)
        client.ping()
    except (DockerException, OSError) as error:
        fail(f"the Docker engine does not answer: {error}", "start it, or point DOCKER_HOST at one that runs")
    return client


def sweep(engine: Any, label: str) -> None:
    """Removes the tasks of this account and region: leftovers at the start, all at the end."""
    from docker.errors import DockerException

    # Other containers have the label of the sandbox, too; ministack adds a second label.
    labels = {"label": [label, "ministack"]}
    try:
        for container in engine.containers.list(all=True, sparse=True, filters=labels):
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
    # Hypercorn closes these descriptors, and this process its own.
    config.bind = [f"fd://{os.dup(listener.fileno())}" for listener in listeners]
    config.keep_alive_timeout = 75
    # Otherwise each line is logged twice.
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 1
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def stopped() -> None:
        await stop.wait()
        corrections.STOPPING.set()

    # Hypercorn has different types for the same interface.
    await hypercorn_serve(cast(Any, app), config, shutdown_trigger=stopped)


def main() -> None:
    """Binds first, so that a second process fails before it changes anything; then imports, corrects and serves."""
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
        endpoint=f"http://127.0.0.1:{api_port}",
        state=options.state,
        registry_key=registry_key(options.state),
        health_divisor=options.health_divisor,
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
    # Without waiting for threads of ministack that may still wait for the engine.
    os._exit(0)


if __name__ == "__main__":
    main()
