"""The table of open translations: pinned archives, what is left out, and a whole tiny build."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import re
import sqlite3
import struct
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models

from tests.stubserver import serving
from xlt.cli import opentext as command
from xlt.errors import DataError
from xlt.pretrain.codes import language_of_tag
from xlt.pretrain.opentext.archives import fetch, members, open_url
from xlt.pretrain.opentext.build import build
from xlt.pretrain.opentext.entries import Entry, evaluation_texts, without
from xlt.pretrain.opentext.sources import LICENCES, Source, licences, read_sources
from xlt_backend.cli import main

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def quiet(line):
    """Progress that nobody reads."""


# Archives, made on the spot -----------------------------------------------------------------


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


class Registry:
    """Answers at addresses, and remembers which were asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __call__(self, url):
        """Opens an address."""
        self.asked.append(url)
        answer = next(data for place, data in self.answers.items() if place in url)
        return answer if isinstance(answer, io.IOBase) else io.BytesIO(answer)


# Fetching -------------------------------------------------------------------------------------


def test_an_archive_is_fetched_once(tmp_path):
    """The second time it is in the cache, and no registry is asked."""
    registry = Registry(npmjs=b"archive")
    wanted = source(b"archive", name="@scope/words", file="scope-words-1.0.tgz")

    paths = [fetch(wanted, tmp_path / "new", progress=quiet, opened=registry) for _ in "12"]

    assert paths[0] == paths[1] == tmp_path / "new" / "scope-words-1.0.tgz"
    assert paths[0].read_bytes() == b"archive"
    assert registry.asked == ["https://registry.npmjs.org/@scope/words/-/words-1.0.tgz"]


def test_a_file_of_the_python_index_is_found_by_its_name(tmp_path):
    """The index is asked under the normalised name; its links may be relative."""
    page = b'<a href="x-1.0.tar.gz">no</a><a href="../../f/My_W-1.0.whl#sha256=0">yes</a>'
    registry = Registry(**{"/simple/my-w/": page, "/f/My_W": b"wheel"})

    path = fetch(
        source(b"wheel", "pypi", "My_W", "My_W-1.0.whl"), tmp_path, progress=quiet, opened=registry
    )

    assert path.read_bytes() == b"wheel"
    assert registry.asked[1] == "https://pypi.org/f/My_W-1.0.whl"


def test_a_file_that_the_python_index_lacks_is_named(tmp_path):
    """A withdrawn release is told from a lost connection."""
    registry = Registry(simple=b"<html></html>")

    with pytest.raises(DataError, match=r"lists no file 'words-1.0.tgz' of words"):
        fetch(source(b"", "pypi"), tmp_path, progress=quiet, opened=registry)


def test_a_debian_package_is_taken_from_the_pool(tmp_path):
    """Its path in the pool is its file."""
    registry = Registry(debian=b"deb")
    wanted = source(b"deb", "debian", file="pool/main/w/words_1.0_all.deb")

    path = fetch(wanted, tmp_path, progress=quiet, opened=registry)

    assert path == tmp_path / "words_1.0_all.deb"
    assert registry.asked[0].endswith("/debian/pool/main/w/words_1.0_all.deb")


class Cut(io.BytesIO):
    """A connection that breaks after the first bytes."""

    def read(self, size=-1):
        """Some bytes, then an error."""
        if self.tell():
            raise ConnectionResetError("reset by peer")
        return super().read(3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"other", "SHA-256 is .*, expected"),
        (b"archi", "SHA-256 is .*, expected"),
        (b"archive and more", "more than the 10 bytes"),
        (Cut(b"archive"), "cannot fetch words 1.0: reset by peer"),
    ],
)
def test_nothing_is_kept_of_a_download_that_is_not_the_archive(answer, words, tmp_path):
    """Another, a cut, a too large or a broken download is refused and leaves no file."""
    with pytest.raises(DataError, match=words):
        fetch(
            source(b"archive"),
            tmp_path,
            progress=quiet,
            opened=Registry(npmjs=answer),
            most_bytes=10,
        )

    assert list(tmp_path.iterdir()) == []


def test_addresses_are_opened_over_http(tmp_path):
    """A page that is not there is an error of one line with its status."""

    def answer(request):
        return (200, "archive") if request.path.endswith("/words-1.0.tgz") else (404, "none")

    with serving(answer) as stub:

        def opened(url):
            return open_url(url.replace("https://registry.npmjs.org", stub.url))

        path = fetch(source(b"archive"), tmp_path, progress=quiet, opened=opened)
        with pytest.raises(DataError, match=r"cannot fetch words 2\.0: HTTP Error 404"):
            fetch(source(b"", version="2.0", file="w"), tmp_path, progress=quiet, opened=opened)

    assert path.read_bytes() == b"archive"
    assert list(tmp_path.iterdir()) == [path]


def test_a_wrong_file_in_the_cache_is_replaced(tmp_path):
    """What was cut by a full disk or exchanged is fetched anew."""
    (tmp_path / "words-1.0.tgz").write_bytes(b"half")

    path = fetch(source(b"whole"), tmp_path, progress=quiet, opened=Registry(npmjs=b"whole"))

    assert path.read_bytes() == b"whole"


# Reading archives -----------------------------------------------------------------------------

FILES = {"i18n/de.json": b"{}", "i18n/fr.json": b"[]", "README.md": b"no"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tgz", tarball(FILES)),
        ("a.tar.gz", tarball(FILES, top="a-1.0/")),
        ("a.tar.xz", tarball(FILES, "xz")),
        ("a.whl", wheel(FILES)),
        ("a.deb", deb(FILES)),
    ],
)
def test_only_wanted_members_are_read(name, data, tmp_path):
    """The same names for every kind of archive, without a tarball's first folder."""
    (tmp_path / name).write_bytes(data)

    found = dict(members(tmp_path / name, r"\.json$"))

    assert found == {"i18n/de.json": b"{}", "i18n/fr.json": b"[]"}
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", ["a.tgz", "a.whl", "a.deb"])
def test_what_is_no_archive_is_refused(name, tmp_path):
    """One line with the path."""
    (tmp_path / name).write_bytes(b"!<arch>\n" + b"x" * 100)

    with pytest.raises(DataError, match=name):
        list(members(tmp_path / name, ""))


# Sources --------------------------------------------------------------------------------------


def test_every_source_is_pinned_and_open():
    """A checksum, an open licence that reaches no further than the texts, authors, a registry."""
    sources = read_sources()

    assert len({(s.registry, s.name, s.pattern) for s in sources}) == len(sources) > 150
    for found in sources:
        assert re.fullmatch("[0-9a-f]{64}", found.sha256), found
        assert found.licence in LICENCES
        assert not re.search("GPL|NC|ND", found.licence)
        assert found.attribution
        assert found.version in found.file
        assert found.registry in {"npm", "pypi", "debian"}
        assert found.corpus in {
            *("wikdict", "jmdict", "cedict", "cldr", "interface", "office", "docs", "forms")
        }


def test_every_pattern_finds_what_its_reader_needs():
    """Files of interfaces and CLDR are found with their language, dictionaries with both."""
    for found in read_sources():
        groups = set(re.compile(found.pattern).groupindex)
        needed = {"dictd": {"first", "second"}, "jmdict": set(), "cedict": set()}
        assert groups == needed.get(found.reader, {"lang"}), found.name


def test_licences_are_told_by_corpus():
    """What has to be named beside a table made of them."""
    found = licences(read_sources())

    assert found["cldr"] == ["Unicode-3.0"]
    assert found["wikdict"] == ["CC-BY-3.0", "CC-BY-SA-3.0"]
    assert found["docs"] == ["CC-BY-SA-3.0", "MPL-2.0"]


# Languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *(("de", "deu"), ("pt_BR", "por"), ("zh-Hant", "zho"), ("sr@latin", "srp")),
        *(("nb", "nor"), ("nn-NO", "nor"), ("fil", "tgl"), ("iw", "heb"), ("ku", "kmr")),
        *(("es", "spa"), ("ky", "kir"), ("kok", "gom"), ("yue-Hans", "yue"), ("DE_at", "deu")),
        *(("en", "eng"), ("en-US", "eng"), ("en_US.UTF-8", "eng"), ("en-GB", None)),
        *(("en@pirate", None), ("qqq", None), ("roa-tara", None), ("x-default", None)),
        *(("root", None), ("xx", None), ("12", None), ("", None)),
    ],
)
def test_a_tag_names_a_language_or_none(tag, code):
    """One code for all names of a language; English only where it is what others translate."""
    assert language_of_tag(tag) == code


# What may not be trained on -------------------------------------------------------------------


def table(path, **columns):
    """A Parquet table."""
    pq.write_table(pa.table(columns), path)
    return path


def test_evaluation_texts_go_with_all_their_translations(tmp_path):
    """Spaces, capitals and punctuation hide nothing; one text takes its whole group along."""
    forbidden = evaluation_texts(
        [
            table(tmp_path / "a.parquet", text=["Ein Satz."], label=["x"]),
            table(tmp_path / "b.parquet", english=["A  question"], text=[""]),
            table(tmp_path / "c.parquet", tokens=[["Two", "words", "."]]),
        ]
    )
    kept = Entry(corpus="c", english="Kept", translations=(("deu", "Behalten"),))
    lost = [
        Entry(corpus="c", english="A question?", translations=(("deu", "Frage"),)),
        Entry(corpus="c", english="It", translations=(("fra", "Là"), ("deu", "EIN SATZ"))),
        Entry(corpus="c", english="two-words", translations=(("deu", "Zwei"),)),
    ]

    assert list(without([lost[0], kept, *lost[1:]], forbidden)) == [kept]


def test_a_table_without_texts_is_refused(tmp_path):
    """A wrong file must not pass for a table without anything to leave out."""
    with pytest.raises(DataError, match="none of the columns text, english, tokens"):
        evaluation_texts([table(tmp_path / "a.parquet", sentence=["x"])])
    with pytest.raises(DataError, match=r"cannot read the table .*b\.parquet"):
        evaluation_texts([tmp_path / "b.parquet"])


# A whole build ---------------------------------------------------------------------------------


@pytest.fixture
def registries(tmp_path):
    """One archive for each reader, in a cache."""
    jmdict = jamdict(tmp_path / "jam.db", [(["猫"], ["ねこ"], ["cat"], ("Kana", "KNP"))])
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
        (tmp_path / file).write_bytes(data)
        sources.append(source(data, name=name, file=file, **fields))
    return tmp_path, sources


def test_a_build_has_rows_of_every_reader(registries):
    """Words carry their English in the key, messages have an English row."""
    cache, sources = registries
    out = cache / "out.parquet"
    vocabulary = {"cat", "dog", "hide"}

    summary = build(out, sources=sources, cache=cache, vocabulary=vocabulary, progress=quiet)

    found = [tuple(row.values()) for row in pq.read_table(out).to_pylist()]
    key = found[-3][1]
    assert key.startswith("app:")
    assert found == [
        ("wikdict", "wikdict:dog", "deu", "Hund"),
        ("wikdict", "wikdict:cat", "deu", "Katze"),
        ("jmdict", "jmdict:cat", "jpn", "ねこ"),
        ("jmdict", "jmdict:cat", "jpn", "猫"),
        ("cedict", "cedict:cat", "zho", "猫"),
        ("cedict", "cedict:hide", "zho", "猫"),
        ("cedict", "cedict:cat", "zho", "貓"),
        ("cedict", "cedict:hide", "zho", "貓"),
        ("cldr", "cldr:Germany", "fra", "Allemagne"),
        ("cldr", "cldr:Germany", "spa", "Alemania"),
        ("interface-words", key, "eng", "Save the file"),
        ("interface-words", key, "deu", "Speichern!"),
        ("forms", "forms:dog", "deu", "hunde"),
        ("forms", "forms:cat", "deu", "katzen"),
    ]
    assert summary["rows"] == 14
    assert summary["corpora"]["interface-words"] == {
        "rows": 2,
        "languages": 2,
        "licences": ["MIT"],
    }


def test_a_build_leaves_evaluation_texts_out(registries):
    """Whatever the source, in English and in translation."""
    cache, sources = registries
    exclude = [table(cache / "test.parquet", text=["speichern", "Cat", "ALEMANIA"])]

    build(
        cache / "out.parquet",
        sources=sources,
        cache=cache,
        vocabulary={"cat", "dog"},
        exclude=exclude,
        progress=quiet,
    )

    assert pq.read_table(cache / "out.parquet")["text"].to_pylist() == [
        *("Hund", "Allemagne", "hunde")
    ]


def test_a_build_without_text_is_refused(registries):
    """An empty table would only be noticed by the training."""
    cache, sources = registries

    with pytest.raises(DataError, match="no text in the archives of 1 sources"):
        build(
            cache / "out.parquet",
            sources=sources[:1],
            cache=cache,
            vocabulary={"bird"},
            progress=quiet,
        )

    assert not (cache / "out.parquet").exists()


def test_the_command_says_what_it_wrote(registries, capsys, monkeypatch):
    """JSON on standard output, progress on standard error; the folder is made."""
    cache, sources = registries
    monkeypatch.setattr(command, "read_sources", lambda: sources)
    pieces = {"[UNK]": 0, "cat": 1, "dog": 2}
    Tokenizer(models.WordLevel(pieces, unk_token="[UNK]")).save(str(cache / "tokenizer.json"))
    out = cache / "new" / "out.parquet"

    status = main(["opentext", "--out", f"{out}", "--cache", f"{cache}", "--teacher", f"{cache}"])

    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert status == 0
    assert summary["out"] == str(out)
    assert summary["rows"] == pq.read_metadata(out).num_rows == 12
    assert "reading deu-eng" in said.err


def test_a_teacher_without_words_is_refused(tmp_path, capsys):
    """One line that names the missing file, before anything is fetched."""
    status = main(["opentext", "--out", f"{tmp_path / 'out'}", "--teacher", f"{tmp_path}"])

    assert status == 1
    assert f"there is no {tmp_path / 'tokenizer.json'}" in capsys.readouterr().err
