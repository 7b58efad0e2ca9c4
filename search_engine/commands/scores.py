"""The scores of an entrant of `result.json` as lines for a terminal: no number without its kind, its unit and what it was selected from."""

from __future__ import annotations

from typing import Any

from ..base.measures import of_seed, over_seeds_mean, over_seeds_se

KINDS = {"search": "search score", "validation": "finished, validation", "test": "finished, test (once)"}


def score_lines(item: dict[str, Any]) -> list[str]:
    """One line for each score, one for what each accuracy hides, one for each simple model beside it, one for each doubt.

    >>> test = {
    ...     "kind": "test", "metric": "test_accuracy", "name": "test accuracy", "value": 0.98, "unit": "share of examples",
    ...     "selected_from": 1, "fidelity": {"text": "trained for 12 epochs"},
    ... }
    >>> score_lines({"scores": {"search": None, "validation": None, "test": test}, "by_class": [], "warnings": []})
    ['finished, test (once): test accuracy 0.9800 (share of examples), trained for 12 epochs']
    """
    lines = [_score(score) for score in item["scores"].values() if score is not None]
    lines += [line for score in item["scores"].values() if score is not None and (line := _over_seeds(score, item.get("metrics", {})))]
    for found in item["by_class"]:
        recalls = [recall for recall in found["recall"] if recall is not None]
        lines.append(
            f"{'validation' if found['split'] == 'val' else 'test'} by class: balanced accuracy {found['balanced_accuracy']:.4f}, "
            f"macro F1 {found['macro_f1']:.4f}, recall {min(recalls):.4f} to {max(recalls):.4f}; "
            f"always answering '{found['majority']}' has {found['majority_share']:.4f}"
        )
    assessment = item.get("assessment") or {"parts": [], "warnings": []}
    for part in assessment["parts"]:
        lines += [_simple(part["split"], model) for model in part["models"] if model["name"] != "network"]
    return [*lines, *(f"note: {sentence}" for sentence in (*item["warnings"], *assessment["warnings"]))]


def _over_seeds(score: dict[str, Any], metrics: dict[str, float]) -> str:
    """The mean of a score over several trainings, where there were several.

    >>> _over_seeds({"metric": "test_r2", "name": "test R²"}, {"test_r2_seed_1": 0.5, "test_r2_seed_2": 0.7, "test_r2_seeds_mean": 0.6,
    ...     "test_r2_seeds_se": 0.1})
    'test R² of 2 trainings: mean 0.6000, standard error 0.1000 (0.5000, 0.7000)'
    """
    name = score["metric"]
    mean, error = metrics.get(over_seeds_mean(name)), metrics.get(over_seeds_se(name))
    if mean is None:
        return ""
    values = [metrics[of_seed(name, place)] for place in range(len(metrics)) if of_seed(name, place) in metrics]
    spread = "" if error is None else f", standard error {error:.4f}"
    each = ", ".join(f"{value:.4f}" for value in values)
    return f"{score['name']} of {len(values)} trainings: mean {mean:.4f}{spread} ({each})"


def _simple(split: str, model: dict[str, Any]) -> str:
    """All metrics of a model that a score stands beside; those that are not defined are left out."""
    figures = ", ".join(f"{figure['name']} {figure['value']:.4f}" for figure in model["figures"] if figure["value"] is not None)
    return f"{'validation' if split == 'val' else 'test'}, for comparison: {model['title']}, {figures} ({model['note']})"


def _score(score: dict[str, Any]) -> str:
    chosen = f", the best of {score['selected_from']:,}" if score["selected_from"] > 1 else ""
    return f"{KINDS[score['kind']]}: {score['name']} {score['value']:.4f} ({score['unit']}), {score['fidelity']['text']}{chosen}"
