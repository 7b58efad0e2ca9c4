"""MODEL_CARD.md: what the model is, how it was found, how well it does, how to use it (headings after Mitchell et al., "Model Cards for
Model Reporting", FAT* 2019)."""

from __future__ import annotations

from typing import Any

from ..base.measures import SPLITS, measure_of, split_of, title_of

_PIPELINES = {"classification": "image-classification", "regression": "tabular-regression", "reconstruction": "feature-extraction"}
"""Names of the Hugging Face hub's tasks; vectors are classified as tables."""
_LOSSES = {"classification": "nats per example", "regression": "squared error", "reconstruction": "squared error"}
_LIMITS = {
    "classification": "The network knows only the classes above and gives one of them for every input, also for inputs that are none.",
    "regression": "The network gives a number for every input, also far from the data it was trained on.",
    "reconstruction": "The network rebuilds inputs like those it was trained on; others come out as the nearest it knows.",
}


def model_card(manifest: dict[str, Any], architecture: dict[str, Any], about: dict[str, Any]) -> str:
    """The text, from the bundle's own records; `about` has titles, sources and the training config."""
    data, test = manifest["dataset"], manifest["evaluation"]
    metrics = {name: value for name, value in sorted(manifest["metrics"].items()) if name != "epoch"}
    figures = "\n".join(f"| {_title(name)} | {value:.6g} | {_unit(name, test['task'])} |" for name, value in metrics.items())
    rows = "\n".join(f"| {name} | {value} |" for name, value in about["training"].items())
    training = f"| option | value |\n| --- | --- |\n{rows}" if rows else "The search algorithm finished the network itself."
    command = "python evaluate.py" + (f" --data FOLDER  # FOLDER holds the files of {data['id']}" if test["data_folder"] else "")
    onnx = manifest["onnx"]
    onnx_line = (
        f"`model.onnx` computes the same in other runtimes (largest relative difference to PyTorch {onnx['difference']:.1e})."
        if onnx["included"] else f"There is no `model.onnx`: {onnx['reason']}."
    )
    task = test["task"]
    example = "picture.png  # needs Pillow" if len(data["input_shape"]) == 3 else "examples.csv"
    coding = (
        "python predict.py examples.csv --encode --out codes.csv\npython predict.py codes.csv --decode --out rebuilt.csv\n"
        if task == "reconstruction" else ""
    )
    pipeline = "tabular-classification" if task == "classification" and len(data["input_shape"]) == 1 else _PIPELINES[task]
    names = ", ".join(data["class_names"])
    outputs = f"{len(data['class_names'])} classes: {names}" if task == "classification" else (
        f"values: {names}" if task == "regression" else "rebuilt by the network; labels are not used"
    )
    versions = f"NAScope {manifest['versions']['nascope']}, torch {manifest['versions']['torch']}, {manifest['threads']} thread(s)"
    footprint = (
        f"{manifest['parameters']:,} parameters, {manifest['flops'] / 1e6:.3f} MFLOPs per example (2 x MACs, matrix products and "
        "convolutions)"
    )
    return f"""---
library_name: pytorch
pipeline_tag: {pipeline}
datasets:
- {data['id']}
metrics:
- {test['score']}
---

# Model found by neural architecture search

Architecture (space `{manifest['space']['id']}`):

```
{architecture['string']}
```

Canonical hash `{manifest['genome_hash']}`. {footprint}.

## How it was found

- Algorithm: {about['algorithm_title']} (`{manifest['algorithm']['id']}`). Source: {about['algorithm_source']}.
- Search space: {about['space_title']}. Source: {about['space_source']}.
- Seed {manifest['seed']}; {versions}.

Architecture and weights come from the training and validation parts alone. The network was scored on the test part once, for the figures
below; how often others were (other seeds, other searches) decides how much they still say.

## Data

{about['dataset_title']}: {about['dataset_source']}. Licence: {about['dataset_licence']}.
Inputs {tuple(data['input_shape'])}, {outputs}.
Trained on {data['train_examples']} examples, validated on {data['validation_examples']}, tested on {test['examples']}.

## Scores

{_scores(manifest["scores"])}
The test score was taken once of this network, when it was finished; nothing was chosen by it.
{_warnings(manifest["warnings"])}{_by_class(manifest["by_class"])}
Everything that was measured:

| figure | value | unit |
| --- | --- | --- |
{figures}

## Training

{training}

## Use

```
pip install -r requirements.txt
{command}
python predict.py {example}
{coding}```

`model.py` is the network, `load_model()` in it gives it trained; inputs are prepared as in `preprocess.py`. {onnx_line}

## Limits

{_LIMITS[task]} Its figures hold for data like the test part; nothing was examined beyond it.
One training run with one seed: another seed may give other figures.
"""


def _title(metric: str) -> str:
    try:
        return title_of(metric).capitalize() if split_of(metric) is None else title_of(metric)
    except KeyError:
        return metric.replace("_", " ")


def _unit(metric: str, task: str) -> str:
    try:
        return _LOSSES[task] if metric.endswith("_loss") else measure_of(metric).unit
    except KeyError:
        return ""


def _scores(scores: dict[str, dict[str, Any]]) -> str:
    """The three scores, each with what it takes to read it."""
    kinds = {"search": "search score, by which it was chosen", "validation": "finished network", "test": "finished network, once"}
    rows = [
        f"| {item['name']} | {item['value']:.6g} | {item['unit']} | {kinds[kind]} | {item['fidelity']['text']} | "
        f"{item['selected_from'] if item['selected_from'] > 1 else 'not selected by it'} |"
        for kind, item in scores.items()
    ]
    head = "| score | value | unit | of what | network | selected from |\n| --- | --- | --- | --- | --- | --- |\n"
    return head + "\n".join(rows) + "\n" if rows else ""


def _warnings(warnings: list[str]) -> str:
    return "\n**Read this beside the scores:**\n\n" + "\n".join(f"- {sentence}" for sentence in warnings) + "\n" if warnings else ""


def _by_class(tables: list[dict[str, Any]]) -> str:
    """What each accuracy hides."""
    found = []
    for item in tables:
        rows = "\n".join(
            f"| {name} | {count} | {'-' if recall is None else f'{recall:.4f}'} |"
            for name, count, recall in zip(item["classes"], item["examples"], item["recall"], strict=True)
        )
        found.append(
            f"\n{SPLITS[item['split']].capitalize()} part by class: accuracy {item['accuracy']:.4f}, balanced accuracy "
            f"{item['balanced_accuracy']:.4f}, macro F1 {item['macro_f1']:.4f}; always answering '{item['majority']}' has "
            f"{item['majority_share']:.4f}.\n\n| class | examples | recall |\n| --- | --- | --- |\n{rows}\n"
        )
    return "".join(found)
