#!/bin/sh
# s3fs: moving a folder copies it, raises FileNotFoundError, and deletes nothing.
#
# Seen with: s3fs 2026.9.0, fsspec 2026.9.0, Python 3.11, on moto 5.2.5's S3 server.
#
# Behaviour: `mv(folder, other, recursive=True)` copies every object, then also tries to copy the
#   folder's own name, which is no object, and raises FileNotFoundError. The objects stay where they
#   were, so that both folders exist. `copy` with `recursive=True`, then `rm`, does what is meant.
#   Without `recursive` the move does nothing and raises nothing. Related: `exists` answers from the
#   listing that was read last, and False for an object that another client has written since.
#
# Output seen:
#   mv recursive: FileNotFoundError
#   after it: old/a old/b new/a new/b
#   mv without recursive: no error
#   after it: old/a old/b
#   copy, then rm: no error
#   after it: new/a new/b
#   written by another client: exists False, exists after refresh True
#
# Run: sh s3fs-move-folder.sh; exit status 0 if s3fs still does this, 1 if it does something else.
# Needs python3 with venv and pip. Installs only into a temporary folder; the server is local.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  s3fs==2026.9.0 fsspec==2026.9.0 'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5

cat >"$folder/expected" <<'END'
mv recursive: FileNotFoundError
after it: old/a old/b new/a new/b
mv without recursive: no error
after it: old/a old/b
copy, then rm: no error
after it: new/a new/b
written by another client: exists False, exists after refresh True
END

cat >"$folder/move.py" <<'END'
import logging
import os

from moto.server import ThreadedMotoServer

logging.disable(logging.WARNING)
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    "NO_PROXY": host,
}

import s3fs  # noqa: E402


def client():
    return s3fs.S3FileSystem(skip_instance_cache=True)


def start(bucket):
    fs = client()
    fs.mkdir(bucket)
    fs.pipe({f"{bucket}/old/a": b"1", f"{bucket}/old/b": b"2"})
    return fs


def report(what, bucket, work):
    error = "no error"
    try:
        work()
    except Exception as raised:
        error = type(raised).__name__
    names = [path.removeprefix(f"{bucket}/") for path in client().find(bucket)]
    print(f"{what}: {error}")
    print("after it:", *sorted(names, key=lambda name: (not name.startswith("old"), name)))


fs = start("one")
report("mv recursive", "one", lambda: fs.mv("one/old", "one/new", recursive=True))
fs = start("two")
report("mv without recursive", "two", lambda: fs.mv("two/old", "two/new"))
fs = start("three")


def copy_then_remove():
    fs.copy("three/old", "three/new", recursive=True)
    fs.rm("three/old", recursive=True)


report("copy, then rm", "three", copy_then_remove)

fs = start("four")
fs.ls("four/old")
client().pipe_file("four/old/c", b"3")
first = fs.exists("four/old/c")
fs.ls("four/old", refresh=True)
again = fs.exists("four/old/c")
print(f"written by another client: exists {first}, exists after refresh {again}")
server.stop()
END

"$folder/venv/bin/python" "$folder/move.py" >"$folder/seen"
cat "$folder/seen"
if ! diff -u "$folder/expected" "$folder/seen"; then
  echo "s3fs behaves differently now" >&2
  exit 1
fi
