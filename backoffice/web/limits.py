"""Rate limits; their storage is Redis when REDIS_URL is set, else this process."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address)
