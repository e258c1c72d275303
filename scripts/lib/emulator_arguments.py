"""The command line of the emulator. `scripts/sandbox` starts it; users have no reason to."""

import argparse
import ipaddress
import sys
from pathlib import Path
from typing import NoReturn

EPILOG = """\
When it is ready, it prints one JSON line with its addresses on stdout; everything else goes to stderr, never a secret.
SIGTERM or SIGINT save the state, remove the containers and end it. One emulator runs per account and region; the next
start removes containers of a killed one, by the label cruddur-ops.sandbox=ACCOUNT-REGION.

Exit codes: 0 ended by a signal, 2 could not start.
"""


def fail(message: str, hint: str = "") -> NoReturn:
    """Prints an error as the project's tools do, and ends the process."""
    print(f"emulator: error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    raise SystemExit(2)


def loopback(value: str) -> str:
    """An argument type. The emulator checks no permissions, so it must not listen beyond this machine."""
    if not ipaddress.IPv4Address(value).is_loopback:
        raise argparse.ArgumentTypeError(f"`{value}` is not a loopback address (127.x.y.z)")
    return value


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="emulator.py",
        description="Runs a local AWS for the sandbox: ministack with corrections. ECS tasks are local containers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--account", required=True, help="the account id, 12 digits")
    add("--region", required=True, help="the region, for example us-east-1")
    add("--state", type=Path, required=True, metavar="FOLDER", help="where the state is kept; made when missing")
    add("--port", type=int, default=4566, help="port of the AWS API on 127.0.0.1; 0: a free port (default: 4566)")
    add("--registry-address", type=loopback, default="127.0.66.1", metavar="ADDRESS",
        help="loopback address of the registry, to which /etc/hosts maps its host name (default: 127.0.66.1)")
    add("--registry-port", type=int, default=80, metavar="PORT",
        help="port of the registry; 0: a free port (default: 80, where the engine looks)")
    add("--health-divisor", type=float, default=1, metavar="N",
        help="divides interval and start period of container health checks (default: 1)")
    return parser.parse_args()
