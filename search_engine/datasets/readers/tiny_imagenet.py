"""Tiny ImageNet as its archive unpacks: train/CLASS/images/*.JPEG, val/images/*.JPEG with val/val_annotations.txt. Needs numpy and Pillow.

Classes are numbered as wnids.txt lists them. The official test pictures have no labels, so the official validation pictures are the test
part here, as is usual. Source: Stanford CS231n, http://cs231n.stanford.edu/tiny-imagenet-200.zip.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .image_folder import Listing, class_folders, refuse_leading_out

SIZE = (64, 64)
WNIDS, WORDS, ANNOTATIONS = "wnids.txt", "words.txt", "val/val_annotations.txt"
MOST_TEXT = 2**25
"""Bytes of a text file; words.txt of the archive has 2.6 million."""


def read_classes(folder: Path) -> tuple[str, ...]:
    """The ids of wnids.txt, in its order. Raises ValueError where a line is none."""
    names = tuple(line.strip() for line in _text(folder / WNIDS).splitlines() if line.strip())
    wrong = next((name for name in names if not re.fullmatch(r"n\d{8}", name)), None)
    if wrong is not None or len(set(names)) != len(names):
        raise ValueError(f"{folder / WNIDS} must list ids like n01443537, each once" + (f", not {wrong[:40]!r}" if wrong else ""))
    return names


def class_words(folder: Path, ids: tuple[str, ...]) -> tuple[str, ...]:
    """What each class is called: the first word of words.txt for it, with its id where two are called alike or nothing is said."""
    words: dict[str, str] = {}
    for line in _text(folder / WORDS).splitlines():
        name, _, text = line.partition("\t")
        words[name] = text.split(",")[0].strip()
    called = [words.get(name, "") for name in ids]
    return tuple(f"{word} ({name})".strip() if not word or called.count(word) > 1 else word for name, word in zip(ids, called, strict=True))


def training_pictures(folder: Path, ids: tuple[str, ...]) -> Listing:
    """The training pictures of these classes. Raises ValueError."""
    return class_folders(folder / "train", inside="images", classes=ids)


def test_pictures(folder: Path, ids: tuple[str, ...]) -> Listing:
    """The official validation pictures in the order of their list. Raises ValueError, also where one is of none of these classes."""
    numbers = {name: label for label, name in enumerate(ids)}
    path, root = folder / ANNOTATIONS, (folder / "val").resolve()
    files: list[str] = []
    labels: list[int] = []
    seen: set[str] = set()
    for number, line in enumerate(_text(path).splitlines(), 1):
        name, _, rest = line.partition("\t")
        label = rest.partition("\t")[0]
        if not re.fullmatch(r"\w+\.JPEG", name) or label not in numbers or name in seen:
            raise ValueError(
                f"{path}, line {number}: it must give a new picture and a class of {WNIDS}, like 'val_0.JPEG<tab>n03444034<tab>...'"
            )
        seen.add(name)
        refuse_leading_out(root / "images" / name, root)
        files.append(f"images/{name}")
        labels.append(numbers[label])
    if not files:
        raise ValueError(f"{path} names no picture")
    return Listing(folder / "val", ids, tuple(files), np.array(labels, dtype=np.int64))


def read_test(folder: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Pictures (n, 3, 64, 64) uint8 and labels (n,) int64 of all official validation pictures."""
    for name in (WNIDS, ANNOTATIONS):
        if not (folder / name).is_file():
            sys.exit(f"{folder / name} is missing: --data must name the folder with the unpacked archive")
    listing = test_pictures(folder, read_classes(folder))
    images = np.empty(listing.shape(3, SIZE), dtype=np.uint8)
    listing.read(images)
    return images, listing.labels


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_TEXT:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes; such a list has at most {MOST_TEXT:,}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
