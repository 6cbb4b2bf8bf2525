"""What all tests share: nothing of the developer's own environment."""

from __future__ import annotations

import os

for _name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "APP_ENV", "REPORTS_DATABASE_URL"):
    os.environ.pop(_name, None)
os.environ["APP_ENV"] = "testing"
os.environ["FLASK_SKIP_DOTENV"] = "1"
