"""The Docker files, as far as they can be checked without an engine: what they run and copy exists, versions are pinned, no secrets."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import pytest
from django.core.management import get_commands

from .images import DOCKER, ROOT, Dockerfile, compose, dockerfiles, without_packages

SERVICES = compose()["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"].startswith("nascope-")}
FILES = dockerfiles()


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path` out of the build (the last rule that fits decides)."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!").rstrip("/")
        parents = ["/".join(path.split("/")[:count]) for count in range(1, path.count("/") + 2)]
        name = pattern.removeprefix("**/")
        if any(fnmatch(parent.split("/")[-1] if name != pattern else parent, name) for parent in parents):
            out = not rule.startswith("!")
    return out


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"database", "broker", "migrate", "web", "reaper", "worker-cpu", "worker-gpu"}
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    assert SERVICES["worker-gpu"]["command"][-2:] == ["--device", "cuda:0"]
    assert not any("profiles" in service for name, service in SERVICES.items() if name != "worker-gpu")


@pytest.mark.parametrize("name", sorted(OWN))
def test_commands_exist(name: str) -> None:
    command = OWN[name]["command"]
    assert command[0] == "python"
    assert command[1] == "manage.py"
    assert (ROOT / "manage.py").is_file()
    assert command[2] in get_commands()


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_image_starts_what_compose_starts(name: str) -> None:
    """So that an image run alone does the same."""
    service = SERVICES["web" if name == "web" else "worker-cpu"]
    assert FILES[name].command == service["command"]
    assert service["build"]["dockerfile"] == f"docker/{name}.Dockerfile"


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_copied_exists_and_is_not_ignored(name: str) -> None:
    made = {stage.name for stage in FILES[name].stages}
    for stage in FILES[name].stages:
        for text in stage.of("COPY"):
            words = text.split()
            if words[0].startswith("--from="):
                assert words[0].removeprefix("--from=") in made
                continue
            for source in words[:-1]:
                assert (ROOT / source).exists(), text
                assert not ignored(source.rstrip("/")), text


def test_what_must_stay_out_of_a_build_is_ignored() -> None:
    for path in ("docker/.env", ".git", "var/secret_key", ".venv", "tests", "frontend/node_modules", "webapp/static/ui", "b.sqlite3"):
        assert ignored(path), path
    for path in ("webapp/static/other.txt", "frontend/src/main.tsx", "search_engine/base/errors.py"):
        assert not ignored(path), path


@pytest.mark.parametrize("name", sorted(FILES))
def test_images_run_without_privileges(name: str) -> None:
    """A numbered user that the image made, after everything that needs root."""
    final = FILES[name].final
    assert final.of("USER") == ["nascope"]
    order = [instruction for instruction, _ in final.instructions]
    assert "RUN" not in order[order.index("USER") :] and "COPY" not in order[order.index("USER") :]
    assert "--uid 10001" in " ".join(final.of("RUN"))


@pytest.mark.parametrize("name", sorted(OWN))
def test_containers_run_without_privileges(name: str) -> None:
    assert OWN[name]["cap_drop"] == ["ALL"]
    assert OWN[name]["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in OWN[name]


def images() -> list[str]:
    used = [service["image"] for service in SERVICES.values()]
    for file in FILES.values():
        used += [file.arguments.get(stage.image.strip("${}"), stage.image) for stage in file.stages]
    return used


@pytest.mark.parametrize("image", sorted(set(images())))
def test_images_are_pinned(image: str) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)*", image), "give a version, never `latest`"


def test_the_version_is_the_applications() -> None:
    import search_engine

    own = {service["image"].rpartition(":")[2].partition("-")[0] for service in OWN.values()}
    assert own == {search_engine.__version__}


def test_python_and_node_are_supported() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in makefile
    for file in FILES.values():
        assert re.match(r"python:3\.1[123]\.", file.arguments["PYTHON_IMAGE"])
    node = re.match(r"node:(\d+)\.(\d+)", FILES["web"].arguments["NODE_IMAGE"])
    # Vite's own statement: ^20.19 or >=22.12.
    assert node is not None and ((20, 19) <= (int(node[1]), int(node[2])) < (21, 0) or (int(node[1]), int(node[2])) >= (22, 12))


def test_torch_comes_from_the_index_of_the_build_argument() -> None:
    assert re.search(r"^torch==[0-9.]+ ", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    worker = (DOCKER / "worker.Dockerfile").read_text()
    assert '--index-url "${TORCH_INDEX}"' in worker
    indices = {name: SERVICES[name]["build"]["args"]["TORCH_INDEX"] for name in ("worker-cpu", "worker-gpu")}
    assert indices["worker-cpu"].endswith("/whl/cpu")
    assert re.search(r"/whl/cu\d+$", indices["worker-gpu"])


def test_the_web_image_leaves_out_only_what_is_pinned() -> None:
    """A package that was renamed or removed there would otherwise come in unnoticed."""
    pinned = {line.split("==")[0].split("[")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    left_out = set(without_packages())
    assert left_out <= pinned
    assert "torch" in left_out


def test_health_is_checked_where_somebody_is_served() -> None:
    assert SERVICES["web"]["healthcheck"]["test"] == ["CMD", "python", "docker/healthcheck.py"]
    assert "docker/healthcheck.py" in " ".join(FILES["web"].final.of("HEALTHCHECK"))
    assert "/api/v1/health/ready" in (DOCKER / "healthcheck.py").read_text()
    for name in ("database", "broker"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    for name in ("web", "reaper", "worker-cpu", "worker-gpu"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["depends_on"]["database"] == {"condition": "service_healthy"}


def test_files_are_kept_in_volumes() -> None:
    volumes = set(compose()["volumes"])
    assert "files:/var/lib/nascope" in OWN["web"]["volumes"]
    assert OWN["web"]["volumes"] == OWN["worker-cpu"]["volumes"], "models are written by one and offered by the other"
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0] if not mount.startswith("${") else "data"
            assert source in volumes
    homes = {name: dict(pair.split("=", 1) for pair in re.findall(r"\S+=\S+", file.final.of("ENV")[0])) for name, file in FILES.items()}
    for environment in homes.values():
        assert environment["NASCOPE_HOME"] == "/var/lib/nascope"
        assert environment["NASCOPE_DATA"] == "/srv/data"


def settings_variables() -> set[str]:
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "webapp" / "settings.py").read_text()))


def test_every_variable_means_something() -> None:
    """Those of the services are read by the settings; those that compose asks for stand in the example, and none else."""
    known = settings_variables()
    for name, service in OWN.items():
        assert set(service["environment"]) <= known, name
    for file in FILES.values():
        names = {pair.split("=")[0] for text in file.final.of("ENV") for pair in re.findall(r"[A-Z_]+=\S+", text)}
        assert names <= known | {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "DJANGO_SETTINGS_MODULE", "OMP_NUM_THREADS"}
    asked = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text()))
    offered = set(re.findall(r"^(?:# )?([A-Z_]+)=", (DOCKER / "env.example").read_text(), re.MULTILINE))
    assert asked == offered


def test_the_documentation_names_every_setting() -> None:
    """Those of the web application's settings, and those that the engine reads by itself."""
    engine = "".join(path.read_text() for path in (ROOT / "search_engine").rglob("*.py"))
    rows = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "production.md").read_text(), re.MULTILINE))
    assert rows == settings_variables() | set(re.findall(r'environ(?:\.get\(|\[)"(NASCOPE_\w+)"', engine))


def test_the_documented_proxy_has_the_limits_of_the_web_process() -> None:
    """Not tighter, or it would refuse what the application takes; and none of them left out."""
    from django.conf import settings

    text = (ROOT / "docs" / "production.md").read_text()

    def value(name: str) -> float:
        found = re.search(rf"^ +{name} (\d+)(s|m|KB|MB)$", text, re.MULTILINE)
        assert found is not None, f"the proxy has no {name}"
        return int(found[1]) * {"s": 1, "m": 60, "KB": 1_000, "MB": 1_000_000}[found[2]]

    assert value("max_size") == settings.NASCOPE_MAX_BODY_BYTES
    assert value("read_header") == settings.NASCOPE_HEADER_SECONDS
    assert value("read_body") >= settings.NASCOPE_BODY_SECONDS
    assert 16_000 <= value("max_header_size") <= settings.NASCOPE_MAX_HEADER_BYTES
    assert value("idle") > 0


@pytest.mark.parametrize("name", ["worker-cpu", "worker-gpu"])
def test_workers_have_a_limit_of_memory_that_the_documentation_names(name: str) -> None:
    """The kernel keeps to it (cgroup); a worker keeps to nine tenths of it."""
    limit = re.fullmatch(r"\$\{(\w+):-(\d+g)\}", OWN[name]["deploy"]["resources"]["limits"]["memory"])
    assert limit is not None
    said = (ROOT / "docs" / "production.md").read_text()
    assert re.search(rf"`{limit[1]}`\s+\(default(?:\s|:)+`{limit[2]}`\)", said)
    assert "oom_score_adj" in said


def secrets_in(service: dict[str, Any]) -> list[str]:
    """Values that look like a secret and are no reference to a variable."""
    found = []
    for key, value in service.get("environment", {}).items():
        text = re.sub(r"\$\{[^}]*\}", "", str(value))
        if re.search(r"SECRET|PASSWORD|TOKEN", key) and text:
            found.append(key)
        if re.search(r"://[^/@]*:[^/@]+@", text):
            found.append(key)
    return found


def test_no_secret_stands_in_a_file() -> None:
    for service in SERVICES.values():
        assert not secrets_in(service)
    assert secrets_in({"environment": {"SECRET_KEY": "abc"}}) == ["SECRET_KEY"], "this test would notice one"
    assert secrets_in({"environment": {"DATABASE_URL": "postgres://nascope:hunter2@database/nascope"}}) == ["DATABASE_URL"]
    for line in (DOCKER / "env.example").read_text().splitlines():
        assert not re.match(r"#? ?\w*(SECRET|PASSWORD|TOKEN)\w*=.", line)
    for file in FILES.values():
        for stage in file.stages:
            for text in stage.of("ENV") + stage.of("ARG") + stage.of("RUN"):
                assert not re.search(r"(SECRET|PASSWORD|TOKEN)\w*=", text)
    assert "/docker/.env" in (ROOT / ".gitignore").read_text().split()


def test_stages_follow_one_another() -> None:
    for file in FILES.values():
        assert isinstance(file, Dockerfile)
        assert len({stage.name for stage in file.stages}) == len(file.stages)
        for stage in file.stages:
            assert stage.image.strip("${}") in file.arguments
