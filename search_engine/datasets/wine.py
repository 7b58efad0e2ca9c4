"""Wine as scikit-learn bundles it: 178 wines of one region of Italy, 13 chemical measurements, three cultivators.

Source: M. Forina et al., PARVUS; S. Aeberhard, UCI repository (1991).
"""

from __future__ import annotations

from pydantic import Field

from ..spaces.data_shape import DataShape
from .base import DatasetConfig, DatasetEntry
from .readers.sklearn_csv import read_table
from .vectors import VectorSamples

TEST_SHARE = 0.25
FEATURES = (
    "alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids", "nonflavanoid phenols",
    "proanthocyanins", "colour intensity", "hue", "OD280/OD315", "proline",
)
SHAPE = DataShape(input=(13,), classes=3)


class WineConfig(DatasetConfig):
    validation_share: float = Field(
        default=0.25, ge=0.05, le=0.9, title="Validation share",
        description="share of the non-test examples that chooses the structure; the others fit the weights",
    )


def _open(config: WineConfig) -> VectorSamples:
    features, labels, names = read_table("wine", "wine_data.csv")
    return VectorSamples(
        "wine", features, labels, names=names, validation_share=config.validation_share, test_share=TEST_SHARE, standardise=True,
        feature_names=FEATURES,
    )


ENTRY = DatasetEntry(
    id="wine",
    title="Wine",
    description="178 wines of three cultivators, described by 13 chemical measurements; bundled with scikit-learn.",
    source="UCI Wine (Forina et al.; Aeberhard, 1991), through scikit-learn",
    licence="CC BY 4.0",
    provides="samples",
    config=WineConfig,
    open=lambda config, data_dir: _open(config),
    input_kind="vector",
    shape=SHAPE,
    package_files=("sklearn/datasets/data/wine_data.csv",),
    sizes={"train and validation": 134, "test": 44},
)
