"""Names of jobs: they sort, can be read, and have nothing that a shell or a file system minds."""

from sdrun.sweeps.naming import names


def test_by_number_method_and_what_differs():
    lines = [
        [f"method={method}", f"optim.lr={lr}", "+a.b=1"] for method in ("born_again", "supervised") for lr in (1, 2)
    ]
    assert names([], lines) == [
        "0000-born_again-lr=1",
        "0001-born_again-lr=2",
        "0002-supervised-lr=1",
        "0003-supervised-lr=2",
    ]
    assert names([], [["method=supervised", "seed=3"]]) == ["0000-supervised"]


def test_those_that_are_added_go_on_and_say_in_what_they_differ_from_the_first():
    earlier = [["method=a", "seed=0"], ["method=a", "seed=1"]]
    assert names(earlier, [["method=a", "seed=2"]]) == ["0002-a-seed=2"]


def test_of_plain_characters_and_of_a_length_that_any_file_system_has():
    (name, other) = names([], [["dataset.root=/a b/$(c)'", "x=[1,2]"], ["dataset.root=" + "ü" * 400, "x=[1,2]"]])
    assert name == "0000-root=_a_b_c"
    assert other.isascii()
    assert len(other) <= 100
