"""`subset=`: which hosts a slice holds, and AWX's sentences for what is none."""

import pytest

from craton_inv.ansible.slices import Slice, parse_subset
from craton_inv.errors import BadRequest


def test_a_slice_takes_every_nth_item_from_its_number() -> None:
    assert parse_subset("slice2of5").of("abcdefghijkl") == "bgl"


def test_the_slices_together_hold_every_item_once() -> None:
    items = list(range(13))
    assert sorted(item for number in range(1, 5) for item in Slice(number, 4).of(items)) == items


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("first", "Subset does not use any supported syntax."),
        ("slice", "Could not parse subset as slice specification."),
        ("slice1of2x", "Could not parse subset as slice specification."),
        ("slice" + "9" * 5000 + "of1", "Could not parse subset as slice specification."),
        ("slice3of2", "Slice number must be less than total number of slices."),
        ("slice0of2", "Slice number must be 1 or higher."),
    ],
)
def test_what_is_no_slice_is_refused_in_awxs_words(text: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_subset(text)
    assert caught.value.message == sentence
