"""All tables, by concern. Public ids are UUID4; every object of a user reaches its `owner`."""

from .accounts import ApiToken, IdempotencyKey, LoginToken, OneTimeSecret, WsTicket
from .datasets import Dataset, DatasetLook, DatasetUse
from .experiments import Estimate, Experiment
from .jobs import Job, OwnerService, Worker
from .predictions import Prediction
from .results import Candidate, Genome, ModelArtefact, StructureFrame, TestVisit, Trial
from .runs import DeletedRun, Event, Keyframe, Run, RunCounter

__all__ = [
    "ApiToken", "Candidate", "Dataset", "DatasetLook", "DatasetUse", "DeletedRun", "Estimate", "Event", "Experiment", "Genome",
    "IdempotencyKey", "Job", "Keyframe", "LoginToken", "ModelArtefact", "OneTimeSecret", "OwnerService", "Prediction", "Run",
    "RunCounter", "StructureFrame", "TestVisit", "Trial", "Worker", "WsTicket",
]
