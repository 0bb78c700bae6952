# One image for every command of Spillway, with the in-task helper at /spillway-helper. docs/decisions/0040-the-image.md
# says why it is built so. Each stage runs on the platform that it builds for, so amd64 and arm64 come from the same lines.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS helper-build
# Debian keeps one version of a package at a time: a pinned one is gone with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc musl-tools \
    && rm -rf /var/lib/apt/lists/*
COPY helper /src/helper
RUN /src/helper/build /spillway-helper \
    && dpkg-query --show --showformat '${Version}' musl-dev >/musl-version

# `--target helper`: the helper alone, less than a megabyte, for tasks that should not wait for the whole image.
FROM scratch AS helper
COPY --from=helper-build /spillway-helper /spillway-helper
USER 65532:65532
ENTRYPOINT ["/spillway-helper"]

FROM ${PYTHON} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
ARG SOURCE_DATE_EPOCH
WORKDIR /src
RUN python -m venv /build \
    && python -m venv --without-pip /opt/spillway
# Whatever is installed comes from /wheels, and what comes from elsewhere into it has its hash in the lock.
COPY requirements.lock ./
RUN /build/bin/python -m pip download --require-hashes --no-deps --only-binary :all: --dest /wheels --requirement requirements.lock \
    && /build/bin/python -m pip install --no-index --find-links /wheels hatchling
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY examples examples
RUN /build/bin/python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /build/bin/python -m pip --python /opt/spillway/bin/python install --no-index --find-links /wheels --no-compile spillway-fargate \
    && /opt/spillway/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/spillway/lib
COPY scripts/lib/sbom scripts/lib/sbom
COPY --from=helper-build /spillway-helper /musl-version /helper/
RUN /build/bin/python -m scripts.lib.sbom --site-packages /opt/spillway/lib/python3.11/site-packages --wheels /wheels \
    --lock requirements.lock --helper /helper/spillway-helper --musl /helper/musl-version --output /opt/spillway/sbom.cdx.json

FROM ${PYTHON}
ARG PYTHON
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="spillway" \
      org.opencontainers.image.description="Let a Kubernetes cluster overflow onto AWS Fargate when its own nodes are full." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/${PYTHON}"
# Nothing is installed in a running container. The base leaves its library uncompiled; a read-only root would stay so.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && rm -r /usr/local/lib/python3.11/ensurepip \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x '/tests?/' /usr/local/lib/python3.11
COPY --from=helper-build /spillway-helper /spillway-helper
COPY --from=packages /opt/spillway /opt/spillway
ENV PATH=/opt/spillway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["spillway"]
