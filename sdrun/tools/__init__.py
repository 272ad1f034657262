"""One file a verb."""

import argparse


def parser(verb: str, doc: str | None, **more: str) -> argparse.ArgumentParser:
    """Of ``sdrun VERB``, with its docstring as the description; ``more``: further options of the parser."""
    return argparse.ArgumentParser(prog=f"sdrun {verb}", description=(doc or "").replace("``", ""), **more)  # type: ignore[arg-type]
