# Two stages: the first may compile and download, the second only runs.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# The dependencies alone, so that a change of the code leaves this layer as it is.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/venv/bin/pip install --constraint constraints.txt --requirement requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

COPY . /app
# Nothing can be compiled later: the file system will be read-only.
RUN /opt/venv/bin/python -m compileall -q /opt/venv/lib /app


FROM python:3.11-slim-bookworm

# The client of the server in docker-compose.yml, or a later one; Debian's own is older.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends age ca-certificates gnupg postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-16 \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin backoffice
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# A volume mounted here takes over its owner.
RUN install --directory --mode=0750 --owner=10001 /backups
WORKDIR /app
USER 10001

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    APP_ENV=production \
    FLASK_APP=wsgi:app \
    BIND=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=5)"]
CMD ["gunicorn", "wsgi:app"]
