"""Former name of `xlt_backend.trainer.process`: a worker of xlt 0.1 that still runs starts this."""

from xlt_backend.trainer.process import main

if __name__ == "__main__":
    raise SystemExit(main())
