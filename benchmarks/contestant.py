"""The process of one side of a comparison: a spec, then commands, as lines of JSON; see `turns`."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Build what the first line says, and answer every line until there are no more."""
    # Libraries print; the answers have the pipe for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    spec = json.loads(sys.stdin.readline())
    if spec["way"] == "kseg":
        from kseg.cli import prepare_backend

        prepare_backend()
        from keras_side import KerasSide as Chosen
    else:
        from torch_side import TorchSide as Chosen
    side = Chosen(spec)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(side, command.pop("do"))(**command)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
