"""Makes the profiles of languages that ship with xlt from open text.

python benchmarks/languages/profiles.py --data ../shared/data/parallel_text.parquet
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from xlt.data.languages import normalise
from xlt.identification.profile_file import SHIPPED, write_profiles
from xlt.identification.profiles import learn

#: Languages with fewer lines get no profile; of others, at most this number is read.
LEAST, MOST = 40, 2_000


def main() -> None:
    """Reads lines of all corpora but the word lists, the same number of each, and learns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    args = parser.parse_args()
    table = pd.read_parquet(args.data)
    table = table[(table["lang"] != "und") & (table["corpus"] != "gatitos")]
    table["key"] = table["lang"].map({code: normalise(code) for code in table["lang"].unique()})
    table = table.sample(frac=1.0, random_state=0)
    texts = {}
    for key, own in table.groupby("key"):
        parts = own.groupby(["corpus", "lang"])
        each = parts.head(MOST // parts.ngroups + 50).head(MOST)
        if len(each) >= LEAST:
            texts[str(key)] = list(each["text"])
    write_profiles(learn(texts), args.out)
    print(f"{len(texts)} languages, {args.out.stat().st_size / 2**20:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
