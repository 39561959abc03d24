"""The binary curves of OpenSSL's libcrypto, through ctypes: an implementation that is not ours."""

import ctypes
import ctypes.util

import pytest

from tests.support.tools import required

_NUMBERS = {"sect163k1": 721, "sect283k1": 729}  # NIDs of obj_mac.h


def _library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("crypto")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    if not hasattr(library, "EC_GROUP_new_by_curve_name"):
        return None
    for function in ("EC_GROUP_new_by_curve_name", "EC_POINT_new", "BN_bin2bn", "BN_CTX_new"):
        getattr(library, function).restype = ctypes.c_void_p
    library.EC_POINT_point2oct.restype = ctypes.c_size_t
    return library


class LibcryptoCurve:
    """Points are compressed octets, one zero octet at infinity. Skips the test where the library lacks the curve."""

    def __init__(self, name: str) -> None:
        library = _library()
        group = None if library is None else library.EC_GROUP_new_by_curve_name(_NUMBERS[name])
        if library is None or group is None:
            missing = f"libcrypto with {name} is not installed"
            if required():
                pytest.fail(f"{missing}, and HANLAB_REQUIRE_TOOLS=1 asks for it")
            pytest.skip(missing)
        self._library, self._group = library, ctypes.c_void_p(group)
        self._context = ctypes.c_void_p(library.BN_CTX_new())

    def _point(self, octets: bytes | None = None) -> ctypes.c_void_p:
        point = ctypes.c_void_p(self._library.EC_POINT_new(self._group))
        if octets is not None and not self._read(point, octets):
            raise ValueError(f"libcrypto finds no point in {octets.hex()}")
        return point

    def _read(self, point: ctypes.c_void_p, octets: bytes) -> bool:
        size = ctypes.c_size_t(len(octets))
        return bool(self._library.EC_POINT_oct2point(self._group, point, octets, size, self._context))

    def _octets(self, point: ctypes.c_void_p) -> bytes:
        buffer = ctypes.create_string_buffer(80)
        form, size = 2, ctypes.c_size_t(len(buffer))
        length = self._library.EC_POINT_point2oct(self._group, point, form, buffer, size, self._context)
        self._library.EC_POINT_free(point)
        return buffer.raw[:length]

    def decodes(self, octets: bytes) -> bool:
        point = self._point()
        found = self._read(point, octets)
        self._library.EC_POINT_free(point)
        return found

    def multiply(self, scalar: int, octets: bytes) -> bytes:
        size = (scalar.bit_length() + 7) // 8
        number = ctypes.c_void_p(self._library.BN_bin2bn(scalar.to_bytes(size, "big"), size, None))
        point, result = self._point(octets), self._point()
        assert self._library.EC_POINT_mul(self._group, result, None, point, number, self._context)
        self._library.EC_POINT_free(point)
        self._library.BN_free(number)
        return self._octets(result)

    def add(self, left: bytes, right: bytes) -> bytes:
        first, second, result = self._point(left), self._point(right), self._point()
        assert self._library.EC_POINT_add(self._group, result, first, second, self._context)
        self._library.EC_POINT_free(first)
        self._library.EC_POINT_free(second)
        return self._octets(result)
