"""What is refused before the first frame, and what outputs are called."""

import os
import sys

import pytest

from bgsub.errors import OutputError
from bgsub.outputs import check_output, default_output, is_extension


def test_existing_file_needs_overwrite(tmp_path):
    (tmp_path / "x.mkv").write_text("kept")
    with pytest.raises(OutputError, match=r"x\.mkv exists; pass --overwrite or choose another name"):
        check_output(tmp_path / "x.mkv")
    assert check_output(tmp_path / "x.mkv", overwrite=True) == tmp_path / "x.mkv"
    assert (tmp_path / "x.mkv").read_text() == "kept"


def test_unknown_extension_lists_the_known(tmp_path):
    with pytest.raises(OutputError, match=r"x\.avi: its extension is not one of \.mkv, \.mp4, \.webm; choose"):
        check_output(tmp_path / "x.avi")
    with pytest.raises(OutputError, match=r"\.webm, or a folder/ of PNG images"):
        check_output(tmp_path / "x.avi", folder=True)
    with pytest.raises(OutputError, match="is not one of"):
        check_output(tmp_path / "folder/")
    assert check_output(tmp_path / "X.MKV").name == "X.MKV"


def test_missing_folder(tmp_path):
    with pytest.raises(OutputError, match=r"there is no folder .*gone; create it"):
        check_output(tmp_path / "gone" / "x.mkv")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_unwritable_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission"):
        check_output(tmp_path / "x.mkv")


def test_input_is_never_the_output(tmp_path):
    source = tmp_path / "in.mkv"
    source.write_text("film")
    (tmp_path / "link.mkv").symlink_to(source)
    for name in ("in.mkv", "link.mkv"):
        with pytest.raises(OutputError, match="it is the input; choose another name"):
            check_output(tmp_path / name, overwrite=True, source=source)
    check_output(tmp_path / "out.mkv", source=source)


def test_folder_of_input_images_is_never_the_output(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    (images / "in000001.png").write_text("image")
    with pytest.raises(OutputError, match="it is the input"):
        check_output(images, overwrite=True, source=images, folder=True)
    with pytest.raises(OutputError, match="it holds the input"):
        check_output(images, overwrite=True, source=images / "in000001.png", folder=True)
    for name in ("background.png", "BACKGROUND.PNG"):
        with pytest.raises(OutputError, match="holds the input's images"):
            check_output(images / name, source=images, suffixes=(".png",))


def test_folder_that_holds_something(tmp_path):
    (tmp_path / "masks").mkdir()
    check_output(tmp_path / "masks", folder=True)
    (tmp_path / "masks" / "bin000001.png").write_text("old")
    with pytest.raises(OutputError, match=r"masks is not empty; pass --overwrite or choose another name"):
        check_output(tmp_path / "masks", folder=True)
    check_output(tmp_path / "masks", overwrite=True, folder=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="it is a file"):
        check_output(f"{tmp_path}/file/", folder=True)


def test_default_names_are_numbered(tmp_path):
    names = []
    for _ in range(3):
        path = default_output("street", folder=tmp_path)
        path.touch()
        names.append(path.name)
    assert names == ["street.mask.mkv", "street.mask-2.mkv", "street.mask-3.mkv"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "", "..", "-rf", "x\0y\n", "é" * 500, "cam:1?*"])
def test_default_names_stay_in_their_folder(tmp_path, name):
    path = default_output(name, folder=tmp_path)
    assert path.parent == tmp_path
    path.touch()  # a name that the file system takes
    assert path.name.endswith(".mask.mkv") and path.name[0] not in ".-"
    assert not set(path.name) & set('/\\:?*\0\n"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [(".mkv", True), (".MP4", True), ("mkv", False), (".", False), ("a.mkv", False), ("./x", False)],
)
def test_an_extension_alone(text, expected):
    assert is_extension(text) is expected
