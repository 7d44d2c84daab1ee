#!/usr/bin/env bash
# conllu 6.0.0 cuts glosses of clitics, on reading and so also on writing back.
#
# Guess:  a CoNLL-U file that is parsed and serialised is the same file, as conllu's README has it
#         ("if you ever want to get your CoNLL-U formatted text back").
# Seen:   of an entry of the MISC column only the part between its first and its second "=" is
#         kept, without a warning: Gloss=water=DEF becomes Gloss=water. Of an attribute that is
#         there twice the last one stays, and a comment that is no "key = value" is gone.
# Against: https://universaldependencies.org/misc.html (an attribute may stand there several
#         times, and "=" is not forbidden in a value) and the Leipzig Glossing Rules, rule 2, by
#         which "=" is how a clitic is separated.
# Hurt:   field linguists whose glossed corpus passes through this library: the glosses of clitics
#         are lost from the file that labels are added to.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check conllu==6.0.0

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import conllu

FILE = """\
# sent_id = 1
# told by an elder, second recording
1\tmaji\tmaji\tNOUN\t_\t_\t0\troot\t_\tGloss=water=DEF|MSeg=maji=ni|SpaceAfter=No
2\tlete\tlete\tVERB\t_\t_\t1\tdep\t_\tGloss=bring|Ref=a|Ref=b

"""
(sentence,) = conllu.parse(FILE)
for token in sentence:
    print(token["form"], token["misc"])
print(sentence.serialize(), end="")
EOF_PYTHON

printf '%s\t%s\t%s\t%s\t_\t_\t%s\t%s\t_\t%s\n' \
  1 maji maji NOUN 0 root 'Gloss=water|MSeg=maji|SpaceAfter=No' \
  2 lete lete VERB 1 dep 'Gloss=bring|Ref=b' >"$folder/rows"
{
  echo "maji {'Gloss': 'water', 'MSeg': 'maji', 'SpaceAfter': 'No'}"
  echo "lete {'Gloss': 'bring', 'Ref': 'b'}"
  echo '# sent_id = 1'
  cat "$folder/rows"
  echo
} >"$folder/expected"
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
