#!/usr/bin/env bash
# sacrebleu 2.6.0 gives a perfect Khmer, Thai or Burmese translation a corpus BLEU of 0.0.
#
# Guess:  a system output that equals the reference has BLEU 100; a tokenizer which is not made for
#         a script makes the score coarse, not zero. "intl" sounds right for all scripts.
# Seen:   with 13a (the default), intl and zh a sentence without spaces is one token, so there is no
#         2-gram to match and the corpus score is 0.0 without a warning, however many sentences;
#         sentence_bleu, which takes the order that is there, says 100 of the same sentence. chrF++,
#         the usual way out, falls from 92 to 79 by one letter there, by its part of words, and
#         from 91 to 86 in Hausa.
# Against: BLEU as the paper defines it is 1 for a translation that equals its reference.
# Hurt:   whoever compares the languages of one model: those without spaces are at 0, or 7 points
#         lower in chrF++, for nothing that the translation does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sacrebleu==2.6.0

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import sacrebleu

TEXTS = {
    "Khmer": "ព្រះអាទិត្យរះនៅទិសខាងកើត។",
    "Thai": "ฉันไปตลาดทุกวัน",
    "Burmese": "နေ့တိုင်းဈေးသွားတယ်။",
    "Hausa": "Ina zuwa kasuwa kowace rana.",
}
for language, text in TEXTS.items():
    many = [text] * 100
    scores = [
        f"{name} {sacrebleu.corpus_bleu(many, [many], tokenize=name).score:.0f}"
        for name in ("13a", "intl", "zh", "char")
    ]
    print(language, *scores, f"sentence {sacrebleu.sentence_bleu(text, [text]).score:.0f}")

ONE_LETTER = {"Khmer": "ព្រះអាទិត្យរះនៅទិសខាងកើន។", "Hausa": "Ina zuwa kasuwa kowace rane."}
for language, other in ONE_LETTER.items():
    text = TEXTS[language]
    chrf = [sacrebleu.corpus_chrf([other], [[text]], word_order=order).score for order in (0, 2)]
    print(language, "one letter: chrF {:.0f}, chrF++ {:.0f}".format(*chrf))
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
Khmer 13a 0 intl 0 zh 0 char 100 sentence 100
Thai 13a 0 intl 0 zh 0 char 100 sentence 100
Burmese 13a 0 intl 0 zh 0 char 100 sentence 100
Hausa 13a 100 intl 100 zh 100 char 100 sentence 100
Khmer one letter: chrF 92, chrF++ 79
Hausa one letter: chrF 91, chrF++ 86
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
