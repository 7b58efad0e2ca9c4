"""What the Docker files say, read so that tests can check it and run the same commands by hand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"


def compose() -> dict[str, Any]:
    """docker/compose.yaml, with YAML's anchors and merges resolved and variables as they stand."""
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())  # type: ignore[no-any-return]


@dataclass
class Stage:
    """One FROM of a Dockerfile with its instructions as (NAME, text)."""

    image: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def of(self, name: str) -> list[str]:
        return [text for instruction, text in self.instructions if instruction == name]


@dataclass
class Dockerfile:
    arguments: dict[str, str]
    """ARGs before the first FROM, with their defaults."""
    stages: list[Stage]

    @property
    def final(self) -> Stage:
        return self.stages[-1]

    @property
    def command(self) -> list[str]:
        return json.loads(self.final.of("CMD")[-1])  # type: ignore[no-any-return]


def dockerfile(path: Path) -> Dockerfile:
    """A Dockerfile's instructions; continued lines are joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    parsed = Dockerfile({}, [])
    for line in joined:
        name, _, text = line.partition(" ")
        assert re.fullmatch(r"ARG|FROM|WORKDIR|COPY|RUN|ENV|USER|EXPOSE|VOLUME|HEALTHCHECK|CMD", name), line
        if name == "FROM":
            image, _, stage = text.partition(" AS ")
            parsed.stages.append(Stage(image, stage))
        elif not parsed.stages:
            assert name == "ARG", line
            key, _, value = text.partition("=")
            parsed.arguments[key] = value
        else:
            parsed.stages[-1].instructions.append((name, text.strip()))
    return parsed


def dockerfiles() -> dict[str, Dockerfile]:
    """By name: web, worker."""
    return {path.name.split(".")[0]: dockerfile(path) for path in sorted(DOCKER.glob("*.Dockerfile"))}


def without_packages() -> list[str]:
    """The packages of requirements.txt that the web image leaves out, by their names there."""
    text = (DOCKER / "web.Dockerfile").read_text()
    found = re.search(r"grep -vE '\^\(([\w|-]+)\)==' ", text)
    assert found is not None, "docker/web.Dockerfile no longer says what it leaves out"
    return found.group(1).split("|")
