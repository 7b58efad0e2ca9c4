"""Breast cancer (Wisconsin, diagnostic) as scikit-learn bundles it: 569 tumours, 30 real features of cell nuclei, malignant or benign.

Source: W. H. Wolberg, W. N. Street, O. L. Mangasarian, UCI repository (1995). Ten properties of the nuclei in an image, each as mean,
standard error and "worst" (mean of the three largest): many of them nearly determine each other, so few are needed at once.
"""

from __future__ import annotations

from pydantic import Field

from ..spaces.data_shape import DataShape
from .base import DatasetConfig, DatasetEntry
from .readers.sklearn_csv import read_table
from .vectors import VectorSamples

TEST_SHARE = 0.25
_PROPERTIES = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
               "fractal dimension")
FEATURES = tuple(f"{kind} {name}" for kind in ("mean", "error of", "worst") for name in _PROPERTIES)
SHAPE = DataShape(input=(30,), classes=2)


class BreastCancerConfig(DatasetConfig):
    validation_share: float = Field(
        default=0.25, ge=0.05, le=0.9, title="Validation share",
        description="share of the non-test examples that chooses the structure; the others fit the weights",
    )


def _open(config: BreastCancerConfig) -> VectorSamples:
    features, labels, names = read_table("breast_cancer", "breast_cancer.csv")
    return VectorSamples(
        "breast_cancer", features, labels, names=names, validation_share=config.validation_share, test_share=TEST_SHARE, standardise=True,
        feature_names=FEATURES,
    )


ENTRY = DatasetEntry(
    id="breast_cancer",
    title="Breast cancer (Wisconsin)",
    description="569 tumours described by 30 features of their cell nuclei, malignant or benign; bundled with scikit-learn. The features "
    "depend on each other strongly: good for watching what a search leaves out.",
    source="UCI Breast Cancer Wisconsin (Diagnostic) (Wolberg, Street and Mangasarian, 1995), through scikit-learn",
    licence="CC BY 4.0",
    provides="samples",
    config=BreastCancerConfig,
    open=lambda config, data_dir: _open(config),
    input_kind="vector",
    shape=SHAPE,
    package_files=("sklearn/datasets/data/breast_cancer.csv",),
    sizes={"train and validation": 427, "test": 142},
)
