# The site in an image of at most 200 MB, for amd64 and arm64: docs/deploy/container.md.

FROM python:3.13-slim AS build
# A compiler, because libsass has no ready-made build for arm64. It stays in this stage.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /site
RUN python -m venv --without-pip /venv
COPY requirements requirements
RUN python -m pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements/common.txt
COPY . .
# The assets need no settings. Bytecode, because nothing can be written where the site runs.
RUN FLASK_CONFIG=production /venv/bin/python manage.py build_assets \
    && /venv/bin/python -m compileall -q app config.py migrations \
    && mkdir instance

FROM python:3.13-slim
# The ready-made build of gevent and others needs no system package. The user's number is the owner's of the volumes.
RUN useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin site
WORKDIR /site
COPY --from=build /venv /venv
COPY --from=build /site /site
COPY --from=build --chown=site:site /site/instance /site/instance
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FLASK_CONFIG=production \
    HOST=0.0.0.0
USER 1000:1000
EXPOSE 8000
VOLUME /site/instance
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/up', timeout=4)"]
CMD ["gunicorn", "app:create_app()"]
