"""The training loop that both networks share: schedule, moving average, checkpoint, progress bar."""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from models.errors import CheckpointError
from models.training import checkpoint

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class TrainingPlan:
    """Hyper-parameters of one training, and digests of what it is made from; they go into the manifest as they are."""

    network: str
    steps: int
    batch: int
    rate: float
    seed: int
    decay: float = 0.02
    warmup: int = 200
    average: float = 0.998
    save_every_s: float = 60.0
    inputs: dict[str, str] = field(default_factory=dict)


def rate_at(plan: TrainingPlan, step: int) -> float:
    """Learning rate: linear warm-up, then half a cosine to a hundredth."""
    if step < plan.warmup:
        return plan.rate * (step + 1) / plan.warmup
    done = min(1.0, (step - plan.warmup) / max(1, plan.steps - plan.warmup))
    return plan.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def prefetched(make: Callable[[int], Batch], first: int, last: int, depth: int = 4) -> Iterator[Batch]:
    """Yields make(first) ... make(last - 1), made ahead in a thread: OpenCV releases the interpreter lock."""
    pool = ThreadPoolExecutor(1)
    try:
        ahead = deque(pool.submit(make, step) for step in range(first, min(first + depth, last)))
        for step in range(first, last):
            if step + depth < last:
                ahead.append(pool.submit(make, step + depth))
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Average:
    """Exponential moving average of a network's weights and buffers, with a short memory at first."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self.decay = decay

    def update(self, network: nn.Module, step: int) -> None:
        """Moves the average towards the network's present state."""
        keep = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)


def device() -> torch.device:
    """Where to train: the first GPU that torch can use, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit(
    network: nn.Module,
    plan: TrainingPlan,
    make: Callable[[int], Batch],
    loss_of: Callable[[nn.Module, Batch], Tensor],
    path: Path,
    resume: bool,
    start_from: Path | None = None,
) -> nn.Module:
    """Trains `network`, on a GPU where there is one, and returns its moving average (on the processor).

    Args:
        make: the batch of one step; the same step gives the same batch.
        loss_of: the loss of the network on a batch; brings the batch to where the network is.
        path: where the checkpoint goes, every `save_every_s` of the plan (a minute) and at the end.
        resume: go on from `path`.
        start_from: weights to start from, as a fine-tuning does; only the weights are taken.
    """
    where = device()
    print(f"training on {torch.cuda.get_device_name(where) if where.type == 'cuda' else 'the processor'}", flush=True)
    network = network.to(device=where, memory_format=torch.channels_last)
    if start_from is not None:
        checkpoint.fill(network, start_from, plan.network)
    average = Average(network, plan.average)
    optimizer = torch.optim.AdamW(_groups(network, plan.decay), lr=plan.rate)
    first, spent = _restore(path, plan, network, average, optimizer) if resume else (0, 0.0)
    bar = tqdm(total=plan.steps, initial=first, desc=plan.network, unit="step", mininterval=5)
    began = saved = time.monotonic()
    commit = checkpoint.commit()
    mean_loss = math.nan
    network.train()
    for step, batch in enumerate(prefetched(make, first, plan.steps), start=first):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(plan, step)
        loss = loss_of(network, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network, step)
        value = loss.item()
        mean_loss = value if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        bar.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
        bar.update()
        if time.monotonic() - saved > plan.save_every_s or step + 1 == plan.steps:
            saved = time.monotonic()
            taken = spent + saved - began
            checkpoint.save(path, _state(plan, step + 1, taken, commit, network, average, optimizer))
    bar.close()
    return average.network.cpu()


def steps_done(path: Path, plan: TrainingPlan) -> int:
    """How far the checkpoint at `path` has come in this plan; 0 where it is missing or of another plan."""
    if not path.is_file():
        return 0
    state = checkpoint.load(path, plan.network)
    return int(state["step"]) if _decisive(state.get("plan") or {}) == _decisive(asdict(plan)) else 0


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """No weight decay on biases and normalisation."""
    wide = [weights for weights in network.parameters() if weights.ndim > 1]
    narrow = [weights for weights in network.parameters() if weights.ndim <= 1]
    return [{"params": wide, "weight_decay": decay}, {"params": narrow, "weight_decay": 0.0}]


def _state(
    plan: TrainingPlan,
    step: int,
    seconds: float,
    commit: str | None,
    network: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    return {
        "network": plan.network,
        "plan": asdict(plan),
        "step": step,
        "seconds": seconds,
        "random": torch.get_rng_state(),
        "commit": commit,
        "weights": network.state_dict(),
        "average": average.network.state_dict(),
        "optimizer": optimizer.state_dict(),
    }


def _restore(
    path: Path, plan: TrainingPlan, network: nn.Module, average: Average, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    """The steps that were done, and the seconds that they took."""
    state = checkpoint.load(path, plan.network)
    now, then = (_decisive(asdict(plan)), _decisive(state.get("plan") or {}))
    if now != then:
        apart = ", ".join(f"{name} {then.get(name)} and not {now[name]}" for name in now if now[name] != then.get(name))
        raise CheckpointError(f"{path}: a checkpoint of another plan ({apart})", "give the same, or leave --resume out")
    try:
        torch.set_rng_state(state["random"])
        network.load_state_dict(state["weights"])
        average.network.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["step"]), float(state.get("seconds", 0.0))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: a checkpoint of another version of the network ({error})", "train without --resume"
        ) from error


def _decisive(plan: dict[str, Any]) -> dict[str, Any]:
    """The part of a plan that decides how the training goes."""
    return {name: value for name, value in plan.items() if name != "save_every_s"}
