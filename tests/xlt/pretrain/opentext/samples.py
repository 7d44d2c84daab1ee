"""Archives, dictionaries and tables, made on the spot."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import sqlite3
import struct
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from xlt.pretrain.opentext.sources import Source

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def quiet(line):
    """Progress that nobody reads."""


def tarball(files, kind="gz", top="package/"):
    """A tarball of files in one folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{kind}") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(top + name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def wheel(files):
    """A zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def deb(files):
    """A Debian package; its first members have odd sizes, so that padding matters."""
    parts = {"debian-binary": b"2.0", "control.tar.xz": b"c", "data.tar.xz": tarball(files, "xz")}
    made = b"!<arch>\n"
    for name, data in parts.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        made += header + data + b"\n" * (len(data) % 2)
    return made


def number(value):
    """A number in the base 64 of dictd."""
    digits = ""
    while True:
        value, digit = divmod(value, 64)
        digits = DIGITS[digit] + digits
        if not value:
            return digits


def dictd(name, entries):
    """Index and packed entries of a dictionary."""
    texts, lines = b"", ["00databaseshort\tA\tA"]
    for entry in entries:
        data = entry.encode()
        place = f"{number(len(texts))}\t{number(len(data))}"
        head = entry.split()[0]
        lines += [f"{head.lower()}\t{place}", f"{head}\t{place}"]
        texts += data
    folder = f"usr/share/dictd/freedict-{name}"
    return {
        f"{folder}.index": "\n".join(lines).encode(),
        f"{folder}.dict.dz": gzip.compress(texts),
    }


def jamdict(path, entries):
    """JMdict in the tables of jamdict: spellings, readings, glosses, frequent or not."""
    connection = sqlite3.connect(path)
    for table in ("Kanji", "Kana"):
        connection.execute(f"CREATE TABLE {table} (ID INTEGER PRIMARY KEY, idseq, text)")
    for table in ("KJP", "KNP"):
        connection.execute(f"CREATE TABLE {table} (kid, text)")
    connection.execute("CREATE TABLE Sense (ID INTEGER PRIMARY KEY, idseq)")
    connection.execute("CREATE TABLE SenseGloss (sid, text)")
    for seq, (kanji, kana, glosses, mark) in enumerate(entries):
        for table, forms in (("Kanji", kanji), ("Kana", kana)):
            for form in forms:
                connection.execute(f"INSERT INTO {table} (idseq, text) VALUES (?, ?)", (seq, form))
        if mark:
            kid = connection.execute(f"SELECT max(ID) FROM {mark[0]}").fetchone()[0]
            connection.execute(f"INSERT INTO {mark[1]} VALUES (?, 'ichi1')", (kid,))
        connection.execute("INSERT INTO Sense VALUES (?, ?)", (seq, seq))
        connection.executemany("INSERT INTO SenseGloss VALUES (?, ?)", [(seq, g) for g in glosses])
    connection.commit()
    connection.close()
    return path.read_bytes()


def catalogue(texts):
    """A compiled gettext catalogue."""
    pairs = [(name.encode(), text.encode()) for name, text in texts.items()]
    at, strings = 28 + 16 * len(pairs), b""
    tables = [b"", b""]
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<2I", len(pair[column]), at + len(strings))
            strings += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables[0] + tables[1] + strings


def varint(value):
    """A number, seven bits in a byte, the lowest first."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + varint(value // 128)


def alike(one, other):
    """How many bytes two words begin with alike."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1),
        min(len(one), len(other)),
    )


def frontcoded(lemmas, backwards=False):
    """Forms with their lemmas in the format of simplemma."""
    step = -1 if backwards else 1
    pairs = sorted((form.encode()[::step], lemma.encode()[::step]) for form, lemma in lemmas)
    made, before = b"SMFC1" + bytes([backwards]) + varint(len(pairs)), (b"", b"")
    for key, value in pairs:
        shared, kept = (alike(key, other) for other in (before[0], value))
        made += varint(shared) + varint(len(key) - shared) + key[shared:]
        if value == before[1]:
            made += bytes([254])
        elif kept and len(key) - kept < 254:
            made += bytes([len(key) - kept]) + varint(len(value) - kept) + value[kept:]
        else:
            made += bytes([255]) + varint(len(value)) + value
        before = key, value
    return made


def source(data, registry="npm", name="words", file="words-1.0.tgz", **fields):
    """A source whose archive is `data`."""
    defaults = {
        "version": "1.0",
        "licence": "MIT",
        "attribution": "Nobody",
        "corpus": "interface",
        "reader": "files",
        "pattern": r"(?P<lang>\w+)\.json$",
    }
    given = {"registry": registry, "name": name, "file": file, **defaults, **fields}
    return Source(sha256=hashlib.sha256(data).hexdigest(), **given)


def table(path, **columns):
    """A Parquet table."""
    pq.write_table(pa.table(columns), path)
    return path


def package(reader="files", padded=False, pattern=r"(?P<lang>\w+)\.\w+$", **fields):
    """A source of interface texts."""
    return Source(
        registry="npm",
        name="app",
        version="1",
        file="",
        sha256="",
        licence="MIT",
        attribution="",
        reader=reader,
        pattern=pattern,
        padded=padded,
        **{"corpus": "interface", **fields},
    )


def one_of_each(folder):
    """Writes one archive for each reader; the cache that they are in, and their sources."""
    jmdict = jamdict(folder / "jam.db", [(["猫"], ["ねこ"], ["cat"], ("Kana", "KNP"))])
    cedict = {"all": [["貓", "猫", "mao1", ["cat", "(coll.) to hide"], [], []]]}
    wheel_of = wheel({"p/locale/de/LC_MESSAGES/p.mo": catalogue({"Save the file": "Speichern!"})})
    forms = [("Katzen", "Katze"), ("Hunde", "Hund"), ("Mäuse", "Maus"), ("speicher", "speichern")]
    dict_pattern = r"freedict-(?P<first>\w{3})-(?P<second>\w{3})\.(index|dict\.dz)$"
    made = {
        "deu-eng": (
            deb(dictd("deu-eng", ["Katze /ˈkatsə/ <n>\ncat\n", "Hund <n>\ndog\n"])),
            {"reader": "dictd", "corpus": "wikdict", "pattern": dict_pattern},
        ),
        "jam": (
            tarball({"jamdict.db.xz": lzma.compress(jmdict)}),
            {"reader": "jmdict", "corpus": "jmdict", "pattern": "xz$"},
        ),
        "ced": (
            tarball({"all.js": f"export default {json.dumps(cedict)};".encode()}),
            {"reader": "cedict", "corpus": "cedict", "pattern": "js$"},
        ),
        "cldr": (
            tarball(
                {
                    f"main/{tag}/territories.json": json.dumps(
                        {"main": {tag: {"localeDisplayNames": {"territories": {"DE": name}}}}}
                    ).encode()
                    for tag, name in (("en", "Germany"), ("fr", "Allemagne"), ("es", "Alemania"))
                }
            ),
            {
                "reader": "cldr-names",
                "corpus": "cldr",
                "pattern": r"main/(?P<lang>[^/]+)/territories\.json$",
            },
        ),
        "app": (wheel_of, {"pattern": r"(?P<lang>\w+)/LC_MESSAGES/p\.mo$"}),
        "lemma": (
            wheel({"data/de.plzma": lzma.compress(frontcoded(forms))}),
            {"reader": "lemmas", "corpus": "forms", "pattern": r"data/(?P<lang>\w+)\.plzma$"},
        ),
    }
    suffix = {"deu-eng": "deb", "app": "whl", "lemma": "whl"}
    sources = []
    for name, (data, fields) in made.items():
        file = f"{name}-1.0.{suffix.get(name, 'tgz')}"
        (folder / file).write_bytes(data)
        sources.append(source(data, name=name, file=file, **fields))
    return folder, sources


def packed(data):
    """Compressed as in the package, only faster."""
    return lzma.compress(data, preset=0)
