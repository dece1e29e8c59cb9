"""Checkpoints: what a training needs to go on, in one file that is replaced in one step."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.errors import CheckpointError

_ANOTHER = "give another checkpoint, or train without it"


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes `state`, so that a crash leaves either the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    torch.save(state, draft)
    draft.replace(path)


def commit() -> str | None:
    """The commit of the code that runs, `-dirty` where files differ from it; None outside a git work tree."""
    folder = Path(__file__).parents[1]
    told = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(told, capture_output=True, text=True, cwd=folder, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def fill(network: nn.Module, path: Path, name: str) -> dict[str, Any]:
    """Gives `network` the averaged weights of a checkpoint of the network called `name`; returns the checkpoint."""
    state = load(path, name)
    try:
        network.load_state_dict(state["average"])
    except (KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: a checkpoint of another version of the {name} ({type(error).__name__})", _ANOTHER
        ) from error
    return state


def load(path: Path, network: str) -> dict[str, Any]:
    """Reads the checkpoint of `network` ("classifier" or "detector")."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no checkpoint", "train first, or give another path") from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or a damaged one ({type(error).__name__})", _ANOTHER
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: not a checkpoint (it holds a {type(state).__name__})", _ANOTHER)
    if state.get("network") != network:
        raise CheckpointError(f"{path}: a checkpoint of {state.get('network')!r}, not of the {network}", _ANOTHER)
    return state
