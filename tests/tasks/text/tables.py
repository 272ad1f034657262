"""Tables of texts for tests."""

ROWS = [f"a good day number {n},good" if n % 2 else f"a bad day number {n},bad" for n in range(40)]


def written(folder, text, name="table.csv", encoding="utf-8"):
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def table(*rows, header="text,label"):
    return "\n".join([header, *(rows or ROWS)]) + "\n"
