# The site in an image of at most 220 MB, for amd64 and arm64: docs/deploy/container.md.

FROM debian:trixie-slim AS build
# A compiler, because libsass has no ready-made build for arm64. It stays in this stage, like pip.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ python3-dev python3-pip python3-venv
WORKDIR /site
RUN python3 -m venv --without-pip /venv
COPY requirements requirements
RUN python3 -m pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes \
        -r requirements/common.txt \
    && find /venv -name "*.so*" -exec strip --strip-unneeded {} + \
    && find /venv -type d \( -name tests -o -name testing \) -prune -exec rm -r {} +
COPY . .
# The assets need no settings; where the site runs, nobody compiles styles or invents users. The last command compiles
# what a web process loads: there, nothing can be written either.
RUN mkdir instance \
    && FLASK_CONFIG=production /venv/bin/python manage.py build_assets \
    && python3 -m pip --python /venv/bin/python uninstall --yes libsass webassets Flask-Assets jsmin PyYAML Faker \
    && FLASK_CONFIG=testing /venv/bin/gunicorn --check-config "app:create_app()"

FROM debian:trixie-slim
# The user's number is also that of the volumes' owner.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin site
WORKDIR /site
COPY --from=build /venv /venv
COPY --from=build /site /site
COPY --from=build --chown=1000:1000 /site/instance /site/instance
ENV PATH=/venv/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    FLASK_CONFIG=production \
    HOST=0.0.0.0
USER 1000:1000
EXPOSE 8000
VOLUME /site/instance
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/up', timeout=4)"]
CMD ["gunicorn", "app:create_app()"]
