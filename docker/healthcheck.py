"""Exit status 0 if the web process of this container can serve. Standard library only; run by the container's health check.

    python docker/healthcheck.py [URL]      default http://127.0.0.1:8000/api/v1/health/ready
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

URL = "http://127.0.0.1:8000/api/v1/health/ready"
TIMEOUT_SECONDS = 4


def main() -> int:
    request = urllib.request.Request(sys.argv[1] if len(sys.argv) > 1 else URL)
    # Django answers only names that it is told to serve; the first of them is good enough to ask for.
    names = [name for name in os.environ.get("ALLOWED_HOSTS", "").split(",") if name and not name.startswith(".")]
    if names:
        request.add_header("Host", names[0])
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
