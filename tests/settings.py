"""Settings of the tests: the application's own, with files in a temporary folder that goes away, and a cheap password hash."""

import tests.environment  # noqa: F401, I001  (before anything reads the environment)

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="nascope-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["NASCOPE_HOME"] = _home

from webapp.settings import *  # noqa: E402, F403
from webapp.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A test's own transaction stays open while it computes, which on a busy machine takes longer than one of the application's ever may.
DATABASES["default"].get("OPTIONS", {}).pop("options", None)
