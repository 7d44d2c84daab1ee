#!/usr/bin/env bash
# tokenizers 0.23.3 with a composing normalizer: offsets that leave the last mark of a word out.
#
# Guess:  the offsets of a token are the part of the original text that the token stands for, so
#         those of a word that is one token are the whole word, whatever the normalizer did.
# Seen:   with NFC (or NFKC) a token ends behind the base letter when the letter's only mark is
#         written as a character of its own: text[start:end] of decomposed "òní" is "òni". The
#         mark is in no token. "ọjọ́", whose last letter keeps one of two marks apart, is whole.
# Against: the documentation (with the offsets one can slice the input string) and UAX #29: an
#         extended grapheme cluster is not to be broken.
# Hurt:   spans in languages with tone marks (Yoruba, Ewe, Navajo, Vietnamese) whose texts come
#         decomposed, as from many keyboards: suggested spans drop the last tone, differ from what
#         people mark, and are scored as wrong.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import unicodedata

from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

text = unicodedata.normalize("NFD", "òní ọjọ́ dé")
for normalizer in (normalizers.NFC(), normalizers.NFKC(), normalizers.NFD()):
    words = normalizer.normalize_str(text).split()
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    encoding = tokenizer.encode(text)
    assert encoding.tokens == words
    print(type(normalizer).__name__)
    for word, (start, end) in zip(text.split(), encoding.offsets):
        print(" ", ascii(word), ascii(text[start:end]), text[start:end] == word)
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
NFC
  'o\u0300ni\u0301' 'o\u0300ni' False
  'o\u0323jo\u0323\u0301' 'o\u0323jo\u0323\u0301' True
  'de\u0301' 'de' False
NFKC
  'o\u0300ni\u0301' 'o\u0300ni' False
  'o\u0323jo\u0323\u0301' 'o\u0323jo\u0323\u0301' True
  'de\u0301' 'de' False
NFD
  'o\u0300ni\u0301' 'o\u0300ni\u0301' True
  'o\u0323jo\u0323\u0301' 'o\u0323jo\u0323\u0301' True
  'de\u0301' 'de\u0301' True
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
