"""Makes all mutations, asks the oracles of those that are not told, and writes docs/metadata-mutations.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.by_place import load
from tests.conftest import ROOT

load("validating")
load("local")

from local.environments import ensure  # noqa: E402 - a package of scripts, loaded above
from validating.peers import Peers  # noqa: E402

from .bases import mutations  # noqa: E402
from .page import page  # noqa: E402
from .verdicts import as_json, asked, verdicts  # noqa: E402

PAGE = ROOT / "docs" / "metadata-mutations.md"
SEED, MOST = 6, 16


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--most", type=int, default=MOST, help="mutations of a kind of each input")
    parser.add_argument("--python", type=Path, help="Python that has ngff-zarr with its validators (default: an environment made for it)")
    parser.add_argument("--log", type=Path, help="a line of JSON for every mutation")
    options = parser.parse_args()
    found = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        peers = stack.enter_context(Peers(options.python or ensure("validators").python))
        ask: Callable[[Path], dict[str, str]] = peers.ask
        for verdict in verdicts(mutations(options.seed, options.most), scratch):
            found.append(asked(verdict, scratch, ask) if verdict.caught == "not" else verdict)
            if len(found) % 100 == 0:
                print(f"{len(found)} mutations …", file=sys.stderr)
    if options.log:
        options.log.write_text("".join(as_json(verdict) + "\n" for verdict in found), encoding="utf-8")
    oracles = ("OME schema 2016-06", "ome-zarr-models 1.7", "ngff-zarr 0.50.0 (JSON schemas, structural checks)")
    PAGE.write_text(page(found, options.seed, options.most, oracles), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
