# The web image: REST API, WebSocket, front end. The migrate job and the reaper run from it too.
# Build context: the repository's root. `docker build --file docker/web.Dockerfile --tag nascope-web:0.1.0 .`

ARG NODE_IMAGE=node:22.17.0-bookworm-slim
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

# ---------------------------------------------------------------- the front end

FROM ${NODE_IMAGE} AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
# Vite writes to ../webapp/static/ui.
RUN npm run build

# ---------------------------------------------------------------- Python packages

FROM ${PYTHON_IMAGE} AS packages
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
# The web process never trains: without torch and what only training and export need, the image is about a gigabyte smaller.
RUN grep -vE '^(torch|scikit-learn|onnx|onnxscript|onnxruntime|tqdm)==' /tmp/requirements.txt > /tmp/requirements-web.txt \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --requirement /tmp/requirements-web.txt

# ---------------------------------------------------------------- the image

FROM ${PYTHON_IMAGE} AS web
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=webapp.settings \
    NASCOPE_HOME=/var/lib/nascope \
    NASCOPE_DATA=/srv/data \
    STATIC_ROOT=/srv/nascope/staticfiles
RUN groupadd --gid 10001 nascope \
    && useradd --uid 10001 --gid nascope --home-dir /var/lib/nascope --no-create-home --shell /usr/sbin/nologin nascope \
    && install --directory --owner=nascope --group=nascope /var/lib/nascope /srv/data
WORKDIR /srv/nascope
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY search_engine/ search_engine/
COPY webapp/ webapp/
COPY docker/healthcheck.py docker/healthcheck.py
COPY --from=frontend /build/webapp/static/ui webapp/static/ui
# In a home of its own, so that the key which settings make on first use stays out of the image.
RUN NASCOPE_HOME=/tmp/build python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build
USER nascope
EXPOSE 8000
VOLUME ["/var/lib/nascope"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["python", "docker/healthcheck.py"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
