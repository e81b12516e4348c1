"""Pictures of the last recorded runs: throughput, memory and roofline of the step, into docs/images.

python -m benchmarks.pictures
"""

import argparse
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.kit import record

FOLDER = Path(__file__).parents[1] / "docs/images"
SIZES = {"step_S": "ViT-S", "step_B": "ViT-B", "step_proof": "proof scale"}
ARMS = {
    "R0 fp32": "#8c8c8c",
    "R1 fp32": "#b9a27a",
    "R1 bf16": "#d8b365",
    "ours fp32": "#5ab4ac",
    "ours bf16": "#01665e",
}
MARKS = {"step_S": "o", "step_B": "s", "step_proof": "^"}


def main() -> None:
    """Draw what there is."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found = {name: record.runs(name)[-1] for name in SIZES if record.runs(name)}
    if not found:
        raise SystemExit("no step is recorded yet; run: python -m benchmarks.step")
    FOLDER.mkdir(parents=True, exist_ok=True)
    bars(found, "clips_per_second", "clips a second").savefig(FOLDER / "step_throughput.svg", metadata={"Date": None})
    bars(found, "peak_mebibytes", "peak memory, MiB").savefig(FOLDER / "step_memory.svg", metadata={"Date": None})
    roofline(found).savefig(FOLDER / "step_roofline.svg", metadata={"Date": None})


def bars(found: dict[str, dict], key: str, label: str) -> Figure:
    """One panel per size, one bar per arm."""
    figure = Figure(figsize=(3.2 * len(found), 2.6), layout="constrained")
    for panel, (name, run) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        arms = {arm: run["cells"][arm][key] for arm in ARMS if arm in run["cells"]}
        drawn = panel.barh(list(arms)[::-1], list(arms.values())[::-1], color=[ARMS[arm] for arm in arms][::-1])
        panel.bar_label(drawn, fmt="{:,.0f}" if key == "peak_mebibytes" else "{:.3g}", padding=3)
        panel.set_title(SIZES[name])
        panel.set_xlabel(label)
        panel.margins(x=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def roofline(found: dict[str, dict]) -> Figure:
    """Rate of every arm over FLOP per byte, under the limits of the machine it ran on."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    panel = figure.subplots()
    machine = next(iter(found.values()))["machine"]
    _limits(panel, machine)
    for name, run in found.items():
        for arm, colour in ARMS.items():
            if arm in run["cells"]:
                cell = run["cells"][arm]
                panel.plot(
                    cell["flop_per_byte"], cell["gflops"], MARKS[name], color=colour, label=f"{SIZES[name]}, {arm}"
                )
    panel.set(xscale="log", yscale="log", xlabel="FLOP per byte that must move", ylabel="GFLOP/s")
    panel.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.spines[["top", "right"]].set_visible(False)
    return figure


def _limits(panel: Axes, machine: dict) -> None:
    speed = machine["copy_gigabytes_per_second"]
    for precision, style in (("fp32", "-"), ("bf16", "--")):
        top = machine[f"gemm_{precision}_gflops"]
        panel.plot([1, top / speed, 1000], [speed, top, top], style, color="black", linewidth=0.8)
        panel.annotate(f"{precision} products", (1000, top), ha="right", va="bottom", fontsize="x-small")


if __name__ == "__main__":
    main()
