"""The tree that shows the states of the steps of a plan on a terminal."""

import itertools
from collections.abc import Mapping, Sequence

from rich.text import Text
from rich.tree import Tree

from experiments.execution.progress import StepState, StepStatus

MARKS: Mapping[StepStatus, str] = {
    "waiting": "·", "running": "▶", "done": "✓", "cached": "✓", "failed": "✗", "skipped": "-"
}  # fmt: skip
STYLES: Mapping[StepStatus, str] = {
    "waiting": "dim", "running": "bold", "done": "green", "cached": "green dim", "failed": "red", "skipped": "red"
}  # fmt: skip


def progress_tree(title: str, states: Sequence[StepState], lines: int) -> Tree:
    """Build a tree of steps with a branch for each kind of step.

    The branches with steps that are running, failed or skipped are expanded. If the tree has more than `lines` lines,
    an expanded branch has only those steps.
    """
    complete = _tree(title, states, brief=False)
    return complete if 1 + len(complete.children) <= lines else _tree(title, states, brief=True)


def _tree(title: str, states: Sequence[StepState], *, brief: bool) -> Tree:
    ended = sum(one.status not in ("running", "waiting") for one in states)
    left = sum(one.seconds or 0 for one in states if one.status in ("running", "waiting"))
    tree = Tree(Text(f"{title}: {ended} of {len(states)} steps, about {duration(left)} left"), guide_style="dim")
    for kind, group in itertools.groupby(states, lambda one: one.name.split()[0]):
        steps = list(group)
        notable = [step for step in steps if step.status in ("running", "failed", "skipped")]
        expanded = len(steps) == 1 or (notable and not brief)
        branch = tree if expanded else tree.add(_branch(kind, steps))
        for step in steps if expanded else notable:
            branch.add(_leaf(step))
    return tree


def _leaf(step: StepState) -> Text:
    about = "about " if step.status in ("running", "waiting") else ""
    took = "" if step.seconds is None else f"  {about}{duration(step.seconds)}"
    return Text.assemble((f"{MARKS[step.status]} {step.name}", STYLES[step.status]), (took, "dim"))


def _branch(kind: str, steps: Sequence[StepState]) -> Text:
    """Return one line that summarizes several steps."""
    done = sum(step.status in ("done", "cached") for step in steps)
    status: StepStatus = "done" if done == len(steps) else "waiting"
    seconds = sum(step.seconds or 0 for step in steps if (step.status == "waiting") == (status == "waiting"))
    about = "about " if status == "waiting" else ""
    line = f"{MARKS[status]} {kind}: {done} of {len(steps)}"
    return Text.assemble((line, STYLES[status]), (f"  {about}{duration(seconds)}", "dim"))


def duration(seconds: float) -> str:
    """Format seconds for a reader: ``45 s``, ``12 min``, ``2 h 05 min``."""
    minutes = int(seconds / 60 + 0.5)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
