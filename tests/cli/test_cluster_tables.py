"""Tables as analysts have them, through `bgsub cluster`: the right clusters, and a line for all that was done."""

import json

import pytest

from tests.tables.files import values

FIT = ["--components", "1", "--json"]


def euro(number):
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,")) + " €"


@pytest.fixture
def shop(workplace):
    """Customers of a German shop, as a spreadsheet writes them."""
    rows = enumerate(values()[::2, :2].tolist(), 1)
    lines = [f"{i};{euro(price)};{str(length).replace('.', ',')};Ort {i % 9};" for i, (length, price) in rows]
    text = "Umsätze 2024;;;;\n\nkunde;umsatz;besuche;ort;\n" + "\n".join([*lines, "Summe;1;1;;"]) + "\n"
    (workplace / "shop.csv").write_bytes(text.encode("cp1252"))
    return values()[::2, :2]


SAID = [
    "the file is no UTF-8: read as cp1252; --encoding gives another",
    "left out what stands above the table, 'Umsätze 2024': 2 lines (--skip-lines 2)",
    "left out the last line, 'Summe;1;1;;'",
    "read decimal commas, thousands separators and the sign € in umsatz: '",
    "read decimal commas in besuche: '",
    "left out: ort, text such as 'Ort 1'; x4, empty",
    "kunde counts from 1 to 250: it looks like an id, --exclude kunde leaves it out",
]


def test_what_was_found_out_is_told_in_order(bgsub, shop):
    outcome = bgsub("cluster", "fit", "shop.csv", *FIT)
    facts = json.loads(outcome.out)
    assert len(facts["notes"]) == len(SAID)
    assert all(note.startswith(line) for note, line in zip(facts["notes"], SAID, strict=True))
    assert [line for line in outcome.err.splitlines() if line in facts["notes"]] == facts["notes"]
    assert list(facts["components"][0]["mean"].values()) == pytest.approx([125.5, *shop[:, ::-1].mean(axis=0)])
    outcome = bgsub("cluster", "select", "shop.csv", "--components", "1", "--covariance", "full", "--json")
    assert json.loads(outcome.out)["notes"] == facts["notes"]
    assert bgsub("cluster", "fit", "shop.csv", "--components", "1", "-q").err == ""


def test_a_model_goes_on_with_files_of_its_kind_and_others(bgsub, shop, workplace):
    given = ["--exclude", "kunde", "--model", "m.bgsub", "--output", "l.csv"]
    facts = json.loads(bgsub("cluster", "fit", "shop.csv", *FIT, *given).out)
    assert facts["notes"][-1] == "left out: ort, text such as 'Ort 1'; x4, empty"
    outcome = bgsub("cluster", "predict", "m.bgsub", "shop.csv", "--output", "p.csv", "--json")
    assert json.loads(outcome.out)["notes"] == facts["notes"][:-1]
    plain = "".join(f"{length!r},{round(price, 2)!r}\n" for length, price in shop.tolist())
    (workplace / "plain.csv").write_text("besuche,umsatz\n" + plain)
    outcome = bgsub("cluster", "predict", "m.bgsub", "plain.csv", "--output", "q.csv", "--json")
    assert json.loads(outcome.out)["notes"] == []
    assert (workplace / "p.csv").read_text() == (workplace / "q.csv").read_text() == (workplace / "l.csv").read_text()
    for command in (["score", "m.bgsub", "shop.csv", "--json"], ["plot", "m.bgsub", "shop.csv", "--output", "p.png"]):
        outcome = bgsub("cluster", *command)
        assert outcome.code == 0
        assert facts["notes"][3] in outcome.err.splitlines()


@pytest.mark.parametrize("command", ["fit", "select", "predict", "score", "plot"])
def test_each_command_is_told_how_to_read(bgsub, workplace, command):
    rows = values()[::5, :2].tolist()
    text = "".join(f'{a!r}|"{b:,.0f}"\n' for a, b in [*rows, (-1.0, -1)])
    (workplace / "odd.txt").write_bytes(("sep\n" + text).encode("utf-16-le"))
    how = ["--no-header", "--skip-lines", "1", "--encoding", "utf-16-le", "--decimal", ".", "--na", "-1,-1.0"]
    fit = bgsub("cluster", "fit", "odd.txt", *FIT, *how, "--missing", "drop", "--model", "m.bgsub")
    assert fit.code == 0, fit.err
    assert json.loads(fit.out)["rows"] == 100
    assert list(json.loads(fit.out)["components"][0]["mean"]) == ["x0", "x1"]
    outcome = bgsub(
        *("cluster", command, *(["m.bgsub"] if command not in ("fit", "select") else []), "odd.txt", *how),
        *("--missing", "drop", *{"fit": ["--components", "1"], "plot": ["--output", "p.png"]}.get(command, [])),
        *(["--components", "1"] if command == "select" else []),
    )
    assert outcome.code == 0, outcome.err
    assert "read thousands separators in x1: '" in outcome.err


def test_a_column_that_can_be_read_in_two_ways_ends_in_one_line(bgsub, workplace):
    (workplace / "t.csv").write_text('a,b\n"1,234",1\n"2,345",2\n"3,456",4\n')
    outcome = bgsub("cluster", "fit", "t.csv", *FIT)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error == (
        "Error: cannot read t.csv: column 'a' holds '1,234', which may be 1.234 (--decimal ,) or 1234 (--decimal .): "
        "say which"
    )
    for decimal, mean in ((",", 2.345), (".", 2345)):
        facts = json.loads(bgsub("cluster", "fit", "t.csv", *FIT, "--decimal", decimal).out)
        assert facts["components"][0]["mean"]["a"] == pytest.approx(mean)


def test_a_table_without_numbers_says_what_it_has(bgsub, workplace):
    (workplace / "t.csv").write_text("name,day\nAnna,2024-01-05\nBert,2024-02-06\n")
    outcome = bgsub("cluster", "fit", "t.csv", *FIT)
    assert outcome.error == (
        "Error: t.csv has no column of numbers (left out: name, text such as 'Anna'; day, dates such as '2024-01-05': "
        "--dates day reads them): name some with --columns, or columns of text with --encode"
    )
