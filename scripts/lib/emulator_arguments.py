"""The command line of the emulator, and how it says that it can't do its work."""

import argparse
import ipaddress
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

HELP = """\
Runs a local AWS for the sandbox: ministack VERSION with our corrections. One listener
answers the AWS API, the other one, on an address of its own, the registry under
ECR's host name ACCOUNT.dkr.ecr.REGION.amazonaws.com; /etc/hosts has to send that
name to the address. ECS tasks are containers of the local Docker engine.
"""

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

Not there: a data plane of Service Connect, permissions of IAM (but those by which an
execution role starts a task), real keys of KMS, image scans, ECS Exec, throttling.

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
        """Called by argparse."""
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


def arguments(version: str) -> argparse.Namespace:
    """The command line. `version` is that of ministack."""
    parser = Parser(
        prog="emulator.py",
        description=HELP.replace("VERSION", version),
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
    add("--keep-failed", type=positive, default=60, metavar="SECONDS",
        help="how long a FAILED deployment stays listed beside a completed one (default: 60)")
    add("--token-lifetime", type=positive, default=12 * 3600, metavar="SECONDS",
        help="how long a registry password is valid (default: 43200, as on ECR)")
    return parser.parse_args()
