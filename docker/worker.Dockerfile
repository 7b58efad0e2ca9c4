# The worker image: trials, training, export, and the coordinator's steps. One image for CPU and, with another torch, for CUDA:
#   docker build --file docker/worker.Dockerfile --tag nascope-worker:0.1.0-cpu .
#   docker build --file docker/worker.Dockerfile --tag nascope-worker:0.1.0-cuda --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu126 .
# torch's CUDA wheels bring the CUDA libraries, so the base stays small; the driver comes from the host (NVIDIA Container Toolkit).

ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
# torch first and from its own index, so that the second step finds its pin satisfied.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --index-url "${TORCH_INDEX}" "$(grep -oE '^torch==[0-9.]+' /tmp/requirements.txt)"
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --requirement /tmp/requirements.txt

FROM ${PYTHON_IMAGE} AS worker
# One thread: equal bits on every machine, and one worker per core is faster than one with many threads on small networks.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=webapp.settings \
    NASCOPE_HOME=/var/lib/nascope \
    NASCOPE_DATA=/srv/data \
    OMP_NUM_THREADS=1
RUN groupadd --gid 10001 nascope \
    && useradd --uid 10001 --gid nascope --home-dir /var/lib/nascope --no-create-home --shell /usr/sbin/nologin nascope \
    && install --directory --owner=nascope --group=nascope /var/lib/nascope /srv/data
WORKDIR /srv/nascope
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY search_engine/ search_engine/
COPY webapp/ webapp/
USER nascope
VOLUME ["/var/lib/nascope"]
CMD ["python", "manage.py", "worker", "--device", "cpu"]
