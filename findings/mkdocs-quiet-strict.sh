#!/usr/bin/env bash
# MkDocs 1.6.1 passes broken links in strict mode if it is also told to be quiet.
#
# Guess:  --quiet "silences warnings", that is, does not print them; strict mode, which "aborts the
#         build on any warnings", counts them all the same, as compilers do with -Werror.
# Seen:   the page links to a page that does not exist. `mkdocs build` with `strict: true` ends with
#         status 1, and so does `mkdocs build --strict`; each with --quiet ends with status 0 and
#         says nothing. Strict mode counts warnings that reach its log handler, and --quiet raises
#         the level of the logger to ERROR before they do.
# Against: the help of `mkdocs build`: "--strict: Enable strict mode. This will cause MkDocs to
#         abort the build on any warnings."
# Hurt:   every project whose checks run both to keep their output short: a check that cannot fail.
#         The documentation of this project had a link to a page that did not exist.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mkdocs==1.6.1
mkdir -p "$folder/site/docs"
printf 'site_name: test\nstrict: true\n' >"$folder/site/mkdocs.yml"
printf '# Home\n\n[Results](results.md)\n' >"$folder/site/docs/index.md"

cd "$folder/site"
{
  for options in "" "--strict" "--quiet" "--strict --quiet"; do
    status=0
    # shellcheck disable=SC2086 # several options
    "$folder/venv/bin/mkdocs" build $options >"$folder/log" 2>&1 || status=$?
    lines=$(grep -c 'results.md' "$folder/log" || true)
    echo "mkdocs build $options: status $status, $lines line(s) about the link"
  done
} >"$folder/seen"

cat >"$folder/expected" <<'EOF_EXPECTED'
mkdocs build : status 1, 1 line(s) about the link
mkdocs build --strict: status 1, 1 line(s) about the link
mkdocs build --quiet: status 0, 0 line(s) about the link
mkdocs build --strict --quiet: status 0, 0 line(s) about the link
EOF_EXPECTED
if diff -u "$folder/expected" "$folder/seen"; then
  echo "seen as described"
else
  echo "the behaviour is another one" >&2
  exit 1
fi
