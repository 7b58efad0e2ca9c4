from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "webapp.jobs"
    label = "jobs"

    def ready(self) -> None:
        from . import asked, files, own_data  # noqa: F401  (hear of deleted runs, data sets and questions)
