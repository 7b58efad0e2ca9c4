"""MODEL_CARD.md in the form of the Hugging Face hub: a YAML head that its search reads, then what the model is, how it was found, how well
it does, how to use it.

Keys of the head: huggingface/hub-docs, modelcard.md (https://huggingface.co/docs/hub/model-cards). Headings after Mitchell et al., "Model
Cards for Model Reporting", FAT* 2019 (arXiv 1810.03993).
"""

from __future__ import annotations

from typing import Any

import yaml

from ..base.measures import SPLITS, measure_of, over_seeds_mean, over_seeds_se, split_of, title_of

_TAGS = ("nascope", "neural-architecture-search", "pytorch", "safetensors")
_METRICS = {"accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "macro_f1": "f1", "r2": "r_squared", "loss": "loss"}
"""The hub's names of our figures, where it has the same ones."""
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
    task = test["task"]
    example = manifest["sample"]["file"] + ("  # needs Pillow" if manifest["sample"]["file"].endswith(".png") else "")
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
{_head(manifest, about, pipeline)}---

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
{_examples(manifest)}

## Scores

{_scores(manifest["scores"])}
The test score was taken once of this network, when it was finished; nothing was chosen by it.
{_warnings(manifest["warnings"])}{_by_class(manifest["by_class"])}{_calibration(manifest["calibration"])}
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

`model.py` is the network, `load_model()` in it gives it trained; inputs are prepared as in `preprocess.py`.
{_form(manifest, "onnx", "model.onnx", "for other runtimes")}
{_form(manifest, "program", "model.pt2", "for torch.export")}
README.md says more, and what a table or a picture may be like.

## Uses and limits

It is meant for inputs of the kind of the data above. Nobody examined what it does to people whom its answers concern: whoever uses it for
such decisions has to.
{_LIMITS[task]} Its figures hold for data like the test part; nothing was examined beyond it.
{_seeds(manifest)}
"""


def _examples(manifest: dict[str, Any]) -> str:
    """Of each part how many, and what they were used for."""
    data, tested = manifest["dataset"], f"tested on {manifest['evaluation']['examples']}"
    if manifest.get("retraining", {}).get("train_on", "train") == "train":
        return f"Trained on {data['train_examples']} examples, validated on {data['validation_examples']}, {tested}."
    trained = f"Trained on {data['train_examples']} examples, the training and the validation part together"
    return f"{trained}, {tested}. There is no validation score."


def _seeds(manifest: dict[str, Any]) -> str:
    """What is known of the spread over seeds."""
    said = manifest.get("retraining", {})
    seeds = said.get("seeds", 1)
    if seeds == 1:
        return "One training run with one seed: another seed may give other figures."
    name, metrics = f"test_{manifest['evaluation']['score']}", manifest["metrics"]
    mean, error = metrics.get(over_seeds_mean(name)), metrics.get(over_seeds_se(name))
    figures = "" if mean is None or error is None else f" The mean of their test scores is {mean:.4f}, its standard error {error:.4f}."
    if said["ensemble"]:
        return f"This is an ensemble: the mean of {seeds} networks of this architecture that differ by their seeds.{figures}"
    how = "the first" if said["train_on"] != "train" else "the one with the best validation score"
    return f"It was trained {seeds} times from different seeds, and this is {how}.{figures}"


def _head(manifest: dict[str, Any], about: dict[str, Any], pipeline: str) -> str:
    """The YAML between the dashes."""
    data, test = manifest["dataset"], manifest["evaluation"]
    figures = {name: manifest["metrics"].get(f"test_{name}") for name in _METRICS}
    figures |= {test["score"]: test[test["score"]], "loss": test["loss"]}
    results = [
        {"type": _METRICS[name], "value": value, "name": f"Test {name.replace('_', ' ')}"}
        for name, value in figures.items() if value is not None
    ]
    forms = {"onnx": ["onnx"], "program": ["torch-export"]}
    head = {
        # Whoever trained it says under which licence it may be used; nobody else can.
        "license": "unknown",
        "library_name": "pytorch",
        "pipeline_tag": pipeline,
        "tags": [*_TAGS, *(tag for name, tags in forms.items() if manifest[name]["included"] for tag in tags), pipeline],
        "datasets": [data["id"]],
        "metrics": [_METRICS[test["score"]]],
        "model-index": [{
            "name": f"{manifest['space']['id']} for {data['id']}, found by {manifest['algorithm']['id']}",
            "results": [{
                "task": {"type": pipeline},
                "dataset": {"type": data["id"], "name": about["dataset_title"], "split": "test"},
                "metrics": results,
            }],
        }],
    }
    return str(yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120))


def _form(manifest: dict[str, Any], name: str, file: str, purpose: str) -> str:
    found, score = manifest[name], manifest["evaluation"]["score"]
    if not found["included"]:
        return f"There is no `{file}` ({purpose}): {found['reason']}."
    return f"`{file}` ({purpose}) has the preprocessing inside; a fresh process got {score} {found[score]:.6g} from it on the test part."


def _calibration(found: dict[str, Any] | None) -> str:
    """Whether its probabilities mean what they say, bin by bin."""
    if found is None:
        return ""
    rows = "\n".join(
        f"| {item['low']:.2f} to {item['high']:.2f} | {item['examples']} | {item['confidence']:.4f} | {item['accuracy']:.4f} |"
        for item in found["bins"] if item["examples"]
    )
    return (
        f"\nCalibration on the test part: the expected calibration error is {found['error']:.4f} (the mean difference between the "
        f"probability of the answer and how often it is right, over {len(found['bins'])} bins of equal width, weighted by examples; Guo et "
        f"al., ICML 2017).\n\n| probability of the answer | examples | mean probability | right |\n| --- | --- | --- | --- |\n{rows}\n"
    )


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
