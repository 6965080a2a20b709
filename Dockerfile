# The app with its networks: docker compose up. For amd64 and arm64.
FROM debian:trixie-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app

# PART=studies adds what analyze.py needs, PART=outputs what [outputs] in config.toml does.
ARG PART=run
COPY requirements requirements
COPY constraints.txt ./
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --disable-pip-version-check -r requirements/$PART.txt -c constraints.txt

COPY . .
RUN python -m compileall -q . \
    && useradd --system --uid 10001 --groups video app

# The root file system may be read-only: Matplotlib and Keras keep their own files in /tmp, the app keeps videos in var/.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib KERAS_HOME=/tmp/keras PYTHONUNBUFFERED=1 FER_SERVER__HOST=0.0.0.0
RUN mkdir var && chown app var
USER app
EXPOSE 5000
# Without the access token, which is not known here, 401 is the answer of a healthy app.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "from http.client import HTTPConnection; \
    app = HTTPConnection('127.0.0.1', 5000, timeout=4); app.request('GET', '/healthz'); \
    raise SystemExit(app.getresponse().status >= 500)"]
CMD ["python", "app.py"]
