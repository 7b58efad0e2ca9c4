"""Routes under /api/v1/."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView

from . import (
    architectures,
    artefacts,
    atlas,
    catalogue,
    experiments,
    machinery,
    own_datasets,
    people,
    predictions,
    records,
    retraining,
    run_files,
    runs,
    uploads,
)
from .base import ApiView
from .problems import handle_in_json, no_such_route
from .queries import ReadsQuery


class SchemaView(ReadsQuery, SpectacularAPIView):
    """This document."""

    authentication_classes = ApiView.authentication_classes
    permission_classes = ()
    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer]

    def get_exception_handler(self) -> Any:
        return handle_in_json


urlpatterns = [
    path("me", people.MeView.as_view()),
    path("auth/login", people.LoginView.as_view()),
    path("auth/logout", people.LogoutView.as_view()),
    path("tokens", people.TokensView.as_view()),
    path("tokens/<uuid:pk>", people.TokenView.as_view()),
    path("ws-tickets", people.WsTicketsView.as_view()),
    path("algorithms", catalogue.AlgorithmsView.as_view()),
    path("search-spaces", catalogue.SpacesView.as_view()),
    path("datasets", catalogue.DatasetsView.as_view()),
    path("datasets/<slug:dataset>/look", own_datasets.DatasetLookView.as_view()),
    path("datasets/<slug:dataset>/uses", own_datasets.DatasetUsesView.as_view()),
    path("uploads", uploads.UploadsView.as_view()),
    path("uploads/<uuid:pk>", uploads.UploadView.as_view()),
    path("own-datasets", own_datasets.OwnDatasetsView.as_view()),
    path("own-datasets/<uuid:pk>", own_datasets.OwnDatasetView.as_view()),
    path("own-datasets/<uuid:pk>/examine", own_datasets.ExamineView.as_view()),
    path("own-datasets/<uuid:pk>/keep", own_datasets.KeepView.as_view()),
    path("own-datasets/<uuid:pk>/cancel", own_datasets.CancelImportView.as_view()),
    path("data-room", own_datasets.DataRoomView.as_view()),
    path("run-imports", run_files.RunImportsView.as_view()),
    path("run-imports/<uuid:pk>", run_files.RunImportView.as_view()),
    path("run-imports/<uuid:pk>/cancel", run_files.CancelRunImportView.as_view()),
    path("compatibility", catalogue.CompatibilityView.as_view()),
    path("run-schema", catalogue.RunSchemaView.as_view()),
    path("presets", catalogue.PresetsView.as_view()),
    path("architectures", architectures.ArchitecturesView.as_view()),
    path("atlas", atlas.AtlasView.as_view()),
    path("atlas/<slug:pk>", atlas.AtlasEntryView.as_view()),
    path("experiments", experiments.ExperimentsView.as_view()),
    path("experiments/validate", experiments.ValidateView.as_view()),
    path("experiments/<uuid:pk>", experiments.ExperimentView.as_view()),
    path("experiments/<uuid:pk>/export", run_files.ExperimentExportView.as_view()),
    path("estimates", experiments.EstimatesView.as_view()),
    path("estimates/<uuid:pk>", experiments.EstimateView.as_view()),
    path("runs", runs.RunsView.as_view()),
    path("runs/<uuid:pk>", runs.RunView.as_view()),
    path("runs/<uuid:pk>/pause", runs.PauseView.as_view()),
    path("runs/<uuid:pk>/resume", runs.ResumeView.as_view()),
    path("runs/<uuid:pk>/cancel", runs.CancelView.as_view()),
    path("runs/<uuid:pk>/clone", runs.CloneView.as_view()),
    path("runs/<uuid:pk>/best", runs.BestView.as_view()),
    path("runs/<uuid:pk>/finish", runs.FinishView.as_view()),
    path("runs/<uuid:pk>/more", runs.MoreView.as_view()),
    path("runs/<uuid:pk>/export", run_files.RunExportView.as_view()),
    path("runs/<uuid:pk>/events", records.EventsView.as_view()),
    path("runs/<uuid:pk>/snapshot", records.SnapshotView.as_view()),
    path("runs/<uuid:pk>/moment", records.MomentView.as_view()),
    path("runs/<uuid:pk>/structure", records.StructureView.as_view()),
    path("trials", records.TrialsView.as_view()),
    path("candidates", records.CandidatesView.as_view()),
    path("genomes", records.GenomesView.as_view()),
    path("genomes/<uuid:pk>", records.GenomeView.as_view()),
    path("models", artefacts.ModelsView.as_view()),
    path("models/<uuid:pk>", artefacts.ModelView.as_view()),
    path("models/<uuid:pk>/assessment", artefacts.ModelAssessmentView.as_view()),
    path("models/<uuid:pk>/curves", artefacts.ModelCurvesView.as_view()),
    path("models/<uuid:pk>/contents", artefacts.ModelContentsView.as_view()),
    path("models/<uuid:pk>/download", artefacts.ModelDownloadView.as_view()),
    path("models/<uuid:pk>/rebuild", artefacts.ModelRebuildView.as_view()),
    path("models/<uuid:pk>/retraining", retraining.ModelRetrainingView.as_view()),
    path("models/<uuid:pk>/input", predictions.ModelInputView.as_view()),
    path("models/<uuid:pk>/predictions", predictions.ModelPredictionsView.as_view()),
    path("predictions/<uuid:pk>", predictions.PredictionView.as_view()),
    path("workers", machinery.WorkersView.as_view()),
    path("plugins", machinery.PluginsView.as_view()),
    path("health/live", machinery.LiveView.as_view()),
    path("health/ready", machinery.ReadyView.as_view()),
    path("schema/", SchemaView.as_view()),
    re_path(r"^(?P<rest>[\s\S]*)\Z", no_such_route),
]
