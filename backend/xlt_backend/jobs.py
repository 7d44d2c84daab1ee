"""Former place of `xlt_backend.worker.jobs`: rounds queued by xlt 0.1 and before name this one."""

from xlt_backend.worker.jobs import run_round as run_round
