"""Envelopes: what is sealed opens where it belongs, whole, and nowhere else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from craton_inv.crypto.envelope import Box, Place, new_key, rewrap, seal, tenant_bound, unseal, unwrap, wrap
from craton_inv.errors import SecretUnreadable

KEY = new_key()
PLACE = Place(tenant_id=3, secret="credential:7", version=1, format="inputs/1")
SECRET = b"canary-of-the-envelope"
BOX = seal(KEY, PLACE, SECRET)

places = st.builds(
    Place,
    tenant_id=st.integers(1, 2**63 - 1),
    secret=st.from_regex(r"[a-z]{1,12}:[1-9][0-9]{0,9}", fullmatch=True),
    version=st.integers(1, 2**31),
    format=st.sampled_from(["inputs/1", "pem/1"]),
)


@given(place=places, secret=st.binary(max_size=4096))
def test_what_is_sealed_opens_to_the_same(place: Place, secret: bytes) -> None:
    assert unseal(KEY, place, seal(KEY, place, secret)) == secret


@given(place=places, other=places)
def test_no_box_opens_at_another_place(place: Place, other: Place) -> None:
    box = seal(KEY, place, SECRET)
    if other == place:
        assert unseal(KEY, other, box) == SECRET
        return
    with pytest.raises(SecretUnreadable):
        unseal(KEY, other, box)


@given(part=st.sampled_from(["nonce", "ciphertext", "wrapped_key"]), at=st.integers(0), bit=st.integers(0, 7))
def test_s29_a_flipped_bit_opens_nothing_and_tells_nothing(part: str, at: int, bit: int) -> None:
    changed = bytearray(getattr(BOX, part))
    changed[at % len(changed)] ^= 1 << bit
    with pytest.raises(SecretUnreadable) as caught:
        unseal(KEY, PLACE, replace(BOX, **{part: bytes(changed)}))
    assert SECRET.decode() not in repr(caught.value)
    assert caught.value.__cause__ is None


@given(cut=st.integers(0, 40))
def test_a_shortened_box_opens_nothing(cut: int) -> None:
    for part in ("nonce", "ciphertext", "wrapped_key"):
        whole = getattr(BOX, part)
        if cut < len(whole):
            with pytest.raises(SecretUnreadable):
                unseal(KEY, PLACE, replace(BOX, **{part: whole[:cut]}))


def test_another_tenant_key_opens_nothing() -> None:
    with pytest.raises(SecretUnreadable):
        unseal(new_key(), PLACE, BOX)


def test_two_secrets_never_look_alike() -> None:
    boxes = [seal(KEY, PLACE, SECRET) for _ in range(20)]
    assert len({(box.nonce, box.ciphertext, box.wrapped_key) for box in boxes}) == 20


def test_a_moved_secret_opens_under_the_new_key_alone_and_is_not_sealed_anew() -> None:
    new = new_key()
    moved = replace(BOX, wrapped_key=rewrap(KEY, new, PLACE, BOX.wrapped_key))
    assert unseal(new, PLACE, moved) == SECRET
    assert moved.ciphertext == BOX.ciphertext
    with pytest.raises(SecretUnreadable):
        unseal(KEY, PLACE, moved)


def test_a_tenants_key_is_one_of_that_tenant_and_version() -> None:
    root, inner = new_key(), new_key()
    wrapped = wrap(root, inner, tenant_bound(1, 1))
    assert unwrap(root, wrapped, tenant_bound(1, 1)) == inner
    for bound in (tenant_bound(2, 1), tenant_bound(1, 2)):
        with pytest.raises(SecretUnreadable):
            unwrap(root, wrapped, bound)


def test_a_box_shows_nothing_of_its_content() -> None:
    assert repr(Box(b"n", b"sealed", b"wrapped")) == "Box(nonce=b'n')"
