"""MODEL_CARD.md: what the model is, how it was found, how well it does, how to use it (headings after Mitchell et al., "Model Cards for
Model Reporting", FAT* 2019)."""

from __future__ import annotations

from typing import Any

_PIPELINES = {"classification": "image-classification", "regression": "tabular-regression", "reconstruction": "feature-extraction"}
"""Names of the Hugging Face hub's tasks; vectors are classified as tables."""
_LABELS = {
    "test_r2": "Test r2 (share of the variance that is explained)",
    "val_r2": "Validation r2",
    "train_r2": "Training r2",
    "test_elbo": "Test ELBO (nats per example)",
    "val_elbo": "Validation ELBO (nats per example)",
    "log_evidence": "Log evidence (nats)",
    "test_accuracy": "Test accuracy",
    "test_loss": "Test loss",
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "train_accuracy": "Training accuracy (augmented)",
    "train_loss": "Training loss (augmented)",
}


_LIMITS = {
    "classification": "The network knows only the classes above and gives one of them for every input, also for inputs that are none.",
    "regression": "The network gives a number for every input, also far from the data it was trained on.",
    "reconstruction": "The network rebuilds inputs like those it was trained on; others come out as the nearest it knows.",
}


def model_card(manifest: dict[str, Any], architecture: dict[str, Any], about: dict[str, Any]) -> str:
    """The text, from the bundle's own records; `about` has titles, sources and the training config."""
    data, test = manifest["dataset"], manifest["evaluation"]
    metrics = {name: value for name, value in sorted(manifest["metrics"].items()) if name != "epoch"}
    scores = "\n".join(f"| {_LABELS.get(name, name)} | {value:.6g} |" for name, value in metrics.items())
    rows = "\n".join(f"| {name} | {value} |" for name, value in about["training"].items())
    training = f"| option | value |\n| --- | --- |\n{rows}" if rows else "The search algorithm finished the network itself."
    command = "python evaluate.py" + (f" --data FOLDER  # FOLDER holds the files of {data['id']}" if test["data_folder"] else "")
    onnx = manifest["onnx"]
    onnx_line = (
        f"`model.onnx` computes the same in other runtimes (largest relative difference to PyTorch {onnx['difference']:.1e})."
        if onnx["included"] else f"There is no `model.onnx`: {onnx['reason']}."
    )
    task = test["task"]
    example = "picture.png" if len(data["input_shape"]) == 3 else "examples.csv"
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

Architecture and weights come from the training and validation parts alone. The test part was used once, for the figures below.

## Data

{about['dataset_title']}: {about['dataset_source']}. Licence: {about['dataset_licence']}.
Inputs {tuple(data['input_shape'])}, {outputs}.
Trained on {data['train_examples']} examples, validated on {data['validation_examples']}, tested on {test['examples']}.

## Scores

| figure | value |
| --- | --- |
{scores}

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
One training run with one seed: another seed moves the figures.
"""
