"""Atomic files, and the container: what goes in comes out, and whatever was altered is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re

import numpy as np
import pytest

from bgsub.errors import ModelFileError, OutputError, ParameterError
from bgsub.files import atomic_write, bounded_lines, kind_of, read_container, write_container

META = {
    "history": 500,
    "ratio": 0.9,
    "seed": None,
    "names": ["a", "ü"],
    "nested": {"on": True},
    "low": -np.inf,
}
DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]


@pytest.fixture
def model(tmp_path):
    """A small container, and its bytes."""
    path = tmp_path / "small.model"
    arrays = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "flags": np.array([True, False])}
    write_container(path, "mog2", 1, {"history": 500}, arrays)
    return path, path.read_bytes()


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def forged(header, data=b""):
    """A container with a right checksum, whatever its header says."""
    line = header if isinstance(header, bytes) else json.dumps(header).encode() + b"\n"
    content = b"bgsub model, container 1\n" + line + data
    return content + hashlib.sha256(content).digest()


def header_of(shape, dtype="<f4", name="weight"):
    arrays = [{"name": name, "dtype": dtype, "shape": shape}]
    return {"kind": "mog2", "version": 1, "meta": {}, "arrays": arrays}


class TestAtomicWrite:
    def test_the_name_appears_with_the_whole_content(self, tmp_path):
        path = tmp_path / "out.bin"
        with atomic_write(path) as file:
            file.write(b"new")
            assert not path.exists()
        assert path.read_bytes() == b"new"
        assert names_in(tmp_path) == ["out.bin"]

    def test_an_error_leaves_the_old_file_and_nothing_else(self, tmp_path):
        path = tmp_path / "out.bin"
        path.write_bytes(b"old")
        with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
            file.write(b"half")
            raise ZeroDivisionError
        assert path.read_bytes() == b"old"
        assert names_in(tmp_path) == ["out.bin"]

    def test_a_full_disk_is_an_output_error(self, tmp_path):
        with (
            pytest.raises(OutputError, match=r"cannot write .*out.bin: No space left on device; make room"),
            atomic_write(tmp_path / "out.bin"),
        ):
            raise OSError(28, "No space left on device")

    @pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
    def test_permissions_are_those_of_any_new_file(self, tmp_path):
        with atomic_write(tmp_path / "ours"):
            pass
        (tmp_path / "any").touch()
        assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode

    def test_a_long_name(self, tmp_path):
        with atomic_write(tmp_path / ("n" * 250)) as file:
            file.write(b"x")
        assert names_in(tmp_path) == ["n" * 250]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("missing/out.bin", "No such file or directory; choose a folder you can write to"),
            (".", "it is no regular file; choose another name"),
            ("nul\0byte", "null (byte|character in path); choose"),
        ],
    )
    def test_where_nothing_can_be_written(self, tmp_path, name, message):
        with pytest.raises(OutputError, match=rf"^cannot write .*{message}"), atomic_write(tmp_path / name):
            pass
        assert names_in(tmp_path) == []

    @pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs a device file")  # noqa: PTH110
    def test_a_device_is_not_replaced_by_a_file(self):
        with pytest.raises(OutputError, match="no regular file"), atomic_write("/dev/null"):
            pass


class TestContainer:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (7,), (2, 3, 4)], ids=str)
    def test_round_trip(self, tmp_path, dtype, shape):
        array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
        write_container(tmp_path / "m", "mog2", 3, META, {"only": array, "again": array})
        meta, arrays = read_container(tmp_path / "m", "mog2", 3)
        assert meta == META
        assert list(arrays) == ["only", "again"]
        for back in arrays.values():
            np.testing.assert_array_equal(back, array)
            assert (back.dtype, back.shape) == (array.dtype, array.shape)
            assert back.dtype.isnative
            assert back.flags.writeable
            assert back.flags.aligned
            assert back.flags.c_contiguous

    def test_no_arrays_and_no_metadata(self, tmp_path):
        write_container(tmp_path / "m", "mog2", 1, {}, {})
        assert read_container(tmp_path / "m", "mog2", 1) == ({}, {})

    def test_views_in_other_orders_and_byte_orders(self, tmp_path):
        base = np.random.default_rng(1).normal(size=(40, 30)).astype(np.float32)
        views = {"fortran": np.asfortranarray(base), "strided": base[::-2, 3::5], "big": base.astype(">f4")}
        write_container(tmp_path / "m", "mog2", 1, {}, views)
        _, arrays = read_container(tmp_path / "m", "mog2", 1)
        for name, view in views.items():
            np.testing.assert_array_equal(arrays[name], view)
            assert arrays[name].dtype == np.float32

    def test_an_array_of_several_chunks(self, tmp_path):
        array = np.random.default_rng(2).integers(0, 256, 3_000_017, np.uint8)
        write_container(tmp_path / "m", "mog2", 1, {}, {"large": array})
        _, arrays = read_container(tmp_path / "m", "mog2", 1)
        np.testing.assert_array_equal(arrays["large"], array)

    def test_special_values(self, tmp_path):
        array = np.array([np.nan, np.inf, -0.0, 5e-324])
        write_container(tmp_path / "m", "mog2", 1, {}, {"odd": array})
        assert read_container(tmp_path / "m", "mog2", 1)[1]["odd"].tobytes() == array.tobytes()

    @pytest.mark.parametrize("name", ["mögé 模型.bin", "a\nb", "-rf", "$(id)"])
    def test_any_name_will_do(self, tmp_path, name):
        write_container(tmp_path / name, "mog2", 1, META, {})
        assert read_container(str(tmp_path / name), "mog2", 1) == (META, {})

    @pytest.mark.parametrize(
        ("array", "dtype"),
        [(np.array([{}]), "object"), (np.array(["text"]), "<U4"), (np.zeros(2, "c8"), "complex64")],
    )
    def test_dtypes_that_are_not_stored(self, tmp_path, array, dtype):
        with pytest.raises(ParameterError, match=f"cannot store array 'odd' of dtype {dtype}: give booleans"):
            write_container(tmp_path / "m", "mog2", 1, {}, {"odd": array})
        assert names_in(tmp_path) == []

    def test_too_much_metadata(self, tmp_path):
        with pytest.raises(ParameterError, match="bytes of metadata, over 1048576: move some of it to arrays"):
            write_container(tmp_path / "m", "mog2", 1, {"text": "x" * 2**20}, {})


class TestRefusal:
    def refused(self, path, content, message):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelFileError, match=message) as caught:
            read_container(path, "mog2", 1)
        text = str(caught.value)
        assert text.isprintable()
        assert text.startswith("cannot load the model ")
        assert len(text) < 1500

    def test_any_byte_flipped_anywhere(self, model):
        path, content = model
        for position in range(len(content)):
            for flip in (0x01, 0x80, 0xFF):
                altered = bytearray(content)
                altered[position] ^= flip
                self.refused(path, altered, "damaged|no model file|newer bgsub")
        path.write_bytes(content)
        read_container(path, "mog2", 1)

    def test_truncated_anywhere(self, model):
        path, content = model
        for length in range(len(content)):
            self.refused(path, content[:length], "no model file" if length < 25 else "it is damaged")

    def test_bytes_swapped_within_an_array_or_between_two(self, model):
        path, content = model
        start = content.index(b"\n", 30) + 1
        for i, j in [(start + 6, start + 7), (start + 22, start + 24)]:
            altered = bytearray(content)
            altered[i], altered[j] = content[j], content[i]
            assert altered != content
            self.refused(path, altered, "it is damaged .its checksum does not match.; copy it again")

    def test_bytes_too_many(self, model):
        path, content = model
        n = len(content)
        self.refused(path, content + b"\0", rf"damaged \(it has {n + 1} bytes where its header promises {n}\)")

    def test_another_kind(self, model):
        path, _ = model
        with pytest.raises(ModelFileError, match="it holds a model of kind 'mog2', not 'mixture'; give one of that"):
            read_container(path, "mixture", 1)

    def test_another_version(self, tmp_path):
        write_container(tmp_path / "m", "mog2", 3, {}, {})
        newer = "it was written by a newer bgsub (format 3, this one reads 1): upgrade bgsub"
        older = "it was written by an older bgsub (format 3, this one reads 4): train the model again"
        with pytest.raises(ModelFileError, match=re.escape(newer)):
            read_container(tmp_path / "m", "mog2", 1)
        with pytest.raises(ModelFileError, match=re.escape(older)):
            read_container(tmp_path / "m", "mog2", 4)

    def test_a_container_of_the_future(self, tmp_path):
        content = b"bgsub model, container 2\nwhatever"
        self.refused(tmp_path / "m", content, r"newer bgsub \(format 2, this one reads 1\): upgrade bgsub")

    @pytest.mark.parametrize("content", [b"", b"\n", b"bgsub", b"\x80\x04pickle", b"PK\x03\x04", b"x" * 2**21])
    def test_what_is_no_model(self, tmp_path, content):
        self.refused(tmp_path / "m", content, "it is no model file of bgsub; give one that bgsub has written")

    def test_where_there_is_no_file(self, tmp_path):
        self.refused(tmp_path / "m", None, "no such file; check the path")
        self.refused(tmp_path, None, "not a file; check the path")
        self.refused(tmp_path / "nul\0byte", None, "no such file")
        self.refused(tmp_path / "two\nlines", None, r"two\\nlines': no such file")
        self.refused(tmp_path / ("n" * 300), None, "[Nn]ame too long|no such file")

    @pytest.mark.parametrize(
        "header",
        [
            header_of([2**40]),
            header_of([2**40, 2**40, 2**40]),
            header_of([2**62] * 32),
            header_of([2**63 - 1, 0]),
            header_of([0, 2**62, 2**62]),
            header_of([10**4000]),
            header_of([0] * 33),
            header_of([-1]),
            header_of([-4, -1]),
            header_of([1.0]),
            header_of([True]),
            header_of("4"),
            header_of(None),
            header_of([0], "|O"),
            header_of([0], "V8"),
            header_of([0], "<U1"),
            header_of([0], "f4,f4"),
            header_of([0], ["<f4"]),
            header_of([0], name=7),
            {**header_of([0]), "arrays": [header_of([0])["arrays"][0]] * 2},
            {**header_of([0]), "arrays": header_of([-1])["arrays"] + header_of([1], name="b")["arrays"]},
            {**header_of([0]), "arrays": {}},
            {**header_of([0]), "meta": []},
            {**header_of([0]), "kind": 1},
            {**header_of([0]), "version": "1"},
            {"kind": "mog2", "version": 1},
            [],
            b"null\n",
            b"\n",
            b"{\n",
            b"\xff\xfe\n",
            b"[" * 100_000 + b"\n",
            b"1" * 5000 + b"\n",
            b" " * (2**20 + 5) + b"{}\n",
        ],
        ids=lambda header: str(header)[-70:],
    )
    def test_headers_made_up(self, tmp_path, header):
        self.refused(tmp_path / "m", forged(header), "it is damaged")

    def test_a_forged_container_with_a_sound_header_is_read(self, tmp_path):
        """The forgeries above are refused for their headers, not for how they are forged."""
        (tmp_path / "m").write_bytes(forged(header_of([2]), b"\0" * 8))
        _, arrays = read_container(tmp_path / "m", "mog2", 1)
        np.testing.assert_array_equal(arrays["weight"], np.zeros(2, np.float32))


class TestKindOf:
    def test_what_was_written(self, model, tmp_path):
        path, _ = model
        assert kind_of(path) == kind_of(str(path)) == "mog2"
        write_container(tmp_path / "other", "rows", 3, {}, {})
        assert kind_of(tmp_path / "other") == "rows"

    def test_only_the_first_two_lines_are_looked_at(self, model):
        path, data = model
        path.write_bytes(data[: data.index(b"\n", data.index(b"\n") + 1) + 1])
        assert kind_of(path) == "mog2"
        with pytest.raises(ModelFileError, match="it is damaged"):
            read_container(path, "mog2", 1)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\n",
            b"bgsub model, container 1\n",
            b"bgsub model, container 1\n[]\n",
            b"bgsub model, container 1\n" + b"[" * 100_000 + b"\n",
            b"bgsub model, container 1\n" + b'{"kind": "mog2", "version": 1, "meta": {}, "arrays": []}',
            b"bgsub model, container 1\n" + b'{"kind": 7, "version": 1, "meta": {}, "arrays": []}\n',
            b"bgsub model, container 1\n" + b'{"kind": "' + b"x" * (2 << 20) + b'", "version": 1}\n',
            b"bgsub model, container 2\n" + b'{"kind": "mog2", "version": 1, "meta": {}, "arrays": []}\n',
            b"\xff\x00" * 3_000_000,
            b'anything\n{"kind": "mog2", "version": 1, "meta": {}, "arrays": []}\n',
        ],
        ids=range(11),
    )
    def test_garbage_is_of_no_kind(self, tmp_path, data):
        path = tmp_path / "garbage"
        path.write_bytes(data)
        assert kind_of(path) is None

    def test_what_is_no_file_is_of_no_kind(self, tmp_path):
        assert kind_of(tmp_path) is None
        assert kind_of(tmp_path / "missing") is None
        assert kind_of("a\0b") is None

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of Unix")
    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        assert kind_of(tmp_path / "pipe") is None


def test_lines_that_are_too_long_are_passed_over():
    content = b"ab\n" + b"x" * 5 + b"\n" + b"y" * 100 + b"\ncd"
    assert list(bounded_lines(io.BytesIO(content), 5)) == [b"ab\n", b"\n", b"\n", b"cd"]
    assert list(bounded_lines(io.BytesIO(content), 6)) == [b"ab\n", b"xxxxx\n", b"\n", b"cd"]
    assert list(bounded_lines(io.BytesIO(b"z" * 50), 5)) == [b"\n"]
