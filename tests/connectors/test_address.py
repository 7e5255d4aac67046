import doctest

import pytest

from tamis.connectors import address as module
from tamis.connectors.address import MAX_FILES, MAX_RECORDS, address, addresses, file_of, record_of
from tamis.hashing.errors import InputError

LAST = address(MAX_FILES - 1, MAX_RECORDS - 1)


def test_examples():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("file", [0, 1, 12345, MAX_FILES - 1])
@pytest.mark.parametrize("record", [0, 1, 2**33, MAX_RECORDS - 1])
def test_an_address_knows_its_file_and_record(file, record):
    value = address(file, record)
    assert (file_of(value), record_of(value)) == (file, record)


def test_addresses_are_non_negative_int64():
    assert address(0, 0) == 0
    assert LAST == 2**63 - 1


def test_addresses_order_by_file_then_record():
    places = [(0, 0), (0, 1), (0, MAX_RECORDS - 1), (1, 0), (1, 7), (2, 0), (MAX_FILES - 1, 0)]
    assert sorted(places, key=lambda place: address(*place)) == places


@pytest.mark.parametrize(("file", "record"), [(-1, 0), (0, -1), (MAX_FILES, 0), (0, MAX_RECORDS)])
def test_what_does_not_fit_is_refused(file, record):
    with pytest.raises(InputError, match="at most 8388608 files of at most 1099511627776 records") as error:
        address(file, record)
    assert f"record {record} of file {file}" in str(error.value)


def test_consecutive_addresses():
    found = addresses(3, 10, 4)
    assert found.dtype == "int64"
    assert found.tolist() == [address(3, record) for record in (10, 11, 12, 13)]
    assert addresses(3, 10, 0).tolist() == []


def test_consecutive_addresses_reach_the_bound_and_no_further():
    assert addresses(MAX_FILES - 1, MAX_RECORDS - 2, 2).tolist() == [LAST - 1, LAST]
    with pytest.raises(InputError):
        addresses(MAX_FILES - 1, MAX_RECORDS - 2, 3)
    with pytest.raises(InputError):
        addresses(MAX_FILES, 0, 0)
