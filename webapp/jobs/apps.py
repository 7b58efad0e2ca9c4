from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "webapp.jobs"
    label = "jobs"

    def ready(self) -> None:
        from . import files, own_data  # noqa: F401  (hear of deleted runs and data sets)
