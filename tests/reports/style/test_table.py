from reports.style.table import Cell, Table


def test_columns_of_words_are_not_numeric():
    table = Table.of_texts(("layer", "MACs"), [("conv1", "4.1 G")], words=("layer",))
    assert table.numeric == (False, True)
    assert [[cell.text for cell in row] for row in table.rows] == [["conv1", "4.1 G"]]


def test_texts_have_their_intervals_and_are_printable():
    row = (Cell(text="12.3 ms", note="±1 %"), Cell(text="evil\N{RIGHT-TO-LEFT OVERRIDE}gnp"))
    texts = Table(heads=("a", "b"), numeric=(True, False), rows=(row,)).texts()
    assert texts["rows"][0][0] == "12.3 ms ±1 %"
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in texts["rows"][0][1]
