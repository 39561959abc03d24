"""The `hanlab` command. A subcommand's module is imported only when it is called, so that `--help` stays fast."""

import importlib
import importlib.metadata
import sys

import typer

from protocols.errors import HanlabError

__all__ = ["main"]

SUBCOMMANDS = {
    "demo": "Two virtual homes update their bridges and their meters over the air; leaves a folder of evidence.",
    "verify": "Recompute every check of a run from its output folder alone.",
    "image": "Build, inspect and verify firmware images.",
    "home": "Show a home: who hears whom and on which way to the hub; or let it live for days.",
    "dongle": "Offer a radio of the emulated air to a Zigbee host outside.",
    "gbcs": "Decode, encode and build GBCS messages; replace credentials with a power cut in between.",
    "smki": "Make a test PKI and handle folders of certificates and keys.",
    "ota": "Explain firmware transfers: where the time went and who stalled.",
    "tracked": "Pack and inspect the list of ESME whose activations cut a hub's supply; it is never shown.",
    "suppression": "Replay recorded power outages under other rules: what would be lost, leaked or late.",
    "fleet": "Many homes without radio: lost responses and repairs, false outages, bridges, all in one run.",
    "cpl": "Check and export the products list as CSV.",
    "inventory": "Show, check and export the inventory of a run or a store.",
    "report": "Reports from a store: bridges and versions, devices, downloads, outages, repairs; table, CSV, JSON.",
    "dsp": "Make an estate to start from, and serve a DSP with its store to suppliers and a CSP.",
    "supplier": "Send signed service requests to a served DSP, and see what comes back.",
    "capture": "Follow a growing capture into Wireshark, and lint any capture by named rules.",
}

_HELP = "hanlab emulates a GB smart-metering Home Area Network and the world above it."


def main() -> None:
    """Run the command line: exit 0 good, 1 a check failed, 2 bad input (one line), 130 interrupted."""
    name, *arguments = sys.argv[1:] or ["--help"]
    try:
        if name in SUBCOMMANDS:
            importlib.import_module(f"gateway.cli.{name}").app(args=arguments, prog_name=f"hanlab {name}")
        _root()(args=[name, *arguments], prog_name="hanlab")
    except HanlabError as error:
        print(f"hanlab: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _root() -> typer.Typer:
    """Return the command tree with each subcommand's one line, for `--help` and for mistakes."""
    root = typer.Typer(help=_HELP, add_completion=False, pretty_exceptions_enable=False)

    @root.callback(invoke_without_command=True)
    def version(show: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
        if show:
            print(importlib.metadata.version("hanlab"))

    for name, line in SUBCOMMANDS.items():
        root.command(name, help=line)(lambda: None)
    return root
