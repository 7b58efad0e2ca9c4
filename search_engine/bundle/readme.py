"""README.md of a bundle: how to use it, from the first line that can be typed."""

from __future__ import annotations

from typing import Any

from .inputs import table_columns

MOST_NAMES = 60
WORDS = {
    "columns": "Give a .csv or .tsv with the columns named below, in any order; others are left alone. Missing cells may stay empty.",
    "row": "Give a .csv or .tsv, one example a line: with a first line of names, columns in any order; without, in the order below.",
    "image": "Give a picture of any size (PNG, JPEG, ...; grey, colour, with alpha, 16 bits; needs Pillow), or an .npy or .npz array.",
    "series": "Give an .npy or .npz array (examples, channels, moments), or a .csv with one example a line, channel after channel.",
}


def readme(manifest: dict[str, Any], settings: dict[str, Any]) -> str:
    """The text, from the bundle's own records."""
    test, sample, kind = manifest["evaluation"], manifest["sample"], manifest["input"]["kind"]
    data = f" --data FOLDER     # FOLDER holds the files of {manifest['dataset']['id']}" if test["data_folder"] else ""
    score = f"{test[test['score']]:.6g}"
    true = ", ".join(map(str, sample["labels"]))
    whose = f"True: {true}." if sample["labels"] else "It is the mean of training examples, not one of them."
    names = [column["name"] for column in table_columns(settings)] or settings["feature_names"]
    listed = f"\nColumns: {_listed(names)}.\n" if kind in ("columns", "row") and names else ""
    answer = {
        "classification": "the class and its probability for each example; `--top 3` for more, `--out answers.csv` for all as a table",
        "regression": "the numbers for each example; `--out answers.csv` for a table",
        "reconstruction": "the rebuilt values; `--encode --out codes.csv` and `--decode` take it apart",
    }[settings["task"]]
    return f"""# Use this model

```
pip install -r requirements.txt
python predict.py {sample['file']}
python evaluate.py{data}
```

`predict.py` prints {answer}. `{sample['file']}` is a sample. {whose}
`evaluate.py` repeats the test score, {test['score']} {score}. Neither needs the program that made the model.

{WORDS[kind]} Values are raw, as they were before any standardising.
{listed}
In Python:

```
from model import load_model
from preprocess import normalise

model = load_model()             # a torch.nn.Module, trained
outputs = model(normalise(raw))  # raw: an array of raw examples
```

{_forms(manifest, data)}
What the model is, how it was found and how far its figures go stands in MODEL_CARD.md, which has the form of the Hugging Face hub's
cards: as README.md of a model's repository it is read by the hub. What every file is like is recorded in manifest.json.
"""


def _listed(names: list[str]) -> str:
    """The first of them, where they are many."""
    more = f" and {len(names) - MOST_NAMES} more, in preprocessing.json" if len(names) > MOST_NAMES else ""
    return ", ".join(f"`{name}`" for name in names[:MOST_NAMES]) + more


def _forms(manifest: dict[str, Any], data: str) -> str:
    """The other forms, with the score that a fresh process got from each, or why there is none."""
    onnx, program = manifest["onnx"], manifest["program"]
    name = manifest["evaluation"]["score"]
    said = []
    if onnx["included"]:
        outputs = "`logits` and `probabilities`" if manifest["evaluation"]["task"] == "classification" else "`logits`, the values"
        said.append(
            f"`model.onnx` takes raw inputs, with the preprocessing inside, and gives {outputs} ({name} {onnx[name]:.6g}). Its metadata "
            f"has the names of classes and columns. With onnxruntime and numpy alone: `python evaluate_onnx.py{data.partition('  ')[0]}`.\n"
            f"Input: {manifest['input']['meaning']}."
        )
    else:
        said.append(f"There is no `model.onnx`: {onnx['reason']}.")
    if program["included"]:
        encoded = " (of a table: its encoded places, `columns.py`)" if manifest["input"]["kind"] == "columns" else ""
        said.append(
            f"`model.pt2` is the same for PyTorch without model.py: `torch.export.load(\"model.pt2\").module()` takes raw tensors{encoded} "
            f"({name} {program[name]:.6g}, `python evaluate.py --program`)."
        )
    else:
        said.append(f"There is no `model.pt2`: {program['reason']}.")
    return "\n\n".join(said) + "\n"
