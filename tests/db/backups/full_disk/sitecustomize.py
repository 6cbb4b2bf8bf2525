"""Start Python with a limit on the size of files: what a full disk is to a program."""

from __future__ import annotations

import resource

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
