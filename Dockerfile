# syntax=docker/dockerfile:1
#
#   docker build -t vultus .                                  CPU
#   docker build -t vultus --build-arg TORCH=default .        NVIDIA GPU (run with --gpus all)
#   docker build -t vultus --build-arg EXTRAS=openvino,gpu,milvus .    with the Milvus client
#   docker build -t vultus:light --build-arg TORCH=none --build-arg EXTRAS=onnx .
#                                                             CPU, by ONNX Runtime alone: no PyTorch

# To pin the base image: --build-arg BASE=python:3.11-slim@sha256:...  (docker buildx imagetools inspect
# python:3.11-slim shows the digest of today).
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
ARG TORCH=cpu
WORKDIR /opt/vultus
COPY constraints.txt ./
COPY scripts/install.py scripts/
# PyTorch has its own layer: a change of the code does not download it again.
RUN python scripts/install.py /opt/venv --torch ${TORCH} --torch-only
COPY pyproject.toml README.md LICENSE THIRD_PARTY.md ./
COPY app app
COPY models models
COPY migrations migrations
ARG EXTRAS=openvino,gpu
RUN python scripts/install.py /opt/venv --no-editable --extras ${EXTRAS}

FROM ${BASE}
RUN useradd --system --uid 10001 --create-home vultus \
    && mkdir /data \
    && chown vultus:vultus /data
COPY --from=build /opt/venv /opt/venv
# It writes to /data and /tmp alone: run it with --read-only --tmpfs /tmp --cap-drop ALL
# --security-opt no-new-privileges, as docker-compose.yml does.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VULTUS_HOST=0.0.0.0 \
    VULTUS_DATA_DIR=/data
USER vultus
WORKDIR /home/vultus
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, ssl, urllib.request as r; e = os.environ.get; s = 'https' if e('VULTUS_TLS__CERT') else 'http'; r.build_opener(r.ProxyHandler({}), r.HTTPSHandler(context=ssl._create_unverified_context())).open(s + '://127.0.0.1:' + e('VULTUS_PORT', '8000') + '/readyz', timeout=4)"]
CMD ["vultus", "serve"]
