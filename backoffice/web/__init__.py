"""What lies outside the console: sign-in, probes, error pages, headers, request logs."""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from backoffice.web import (
    assets,
    compression,
    errors,
    headers,
    limits,
    login,
    monitoring,
    observe,
    probes,
    sampler,
    schema,
)

csrf = CSRFProtect()
bootstrap = Bootstrap5()


def init_app(app: Flask) -> None:
    """Attach everything to the app; the order of the hooks is the order of the lines."""
    observe.init_app(app)
    headers.init_app(app)
    compression.init_app(app)
    errors.init_app(app)
    csrf.init_app(app)
    bootstrap.init_app(app)
    assets.init_app(app)
    limits.init_app(app)
    login.init_app(app)
    probes.init_app(app)
    schema.init_app(app)
    monitoring.init_app(app)
    sampler.init_app(app)
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
