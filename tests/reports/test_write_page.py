"""Writing: whole or not at all."""

import os

import pytest

from seehear.errors import StorageError
from seehear.reports import Page, write_page
from tests.reports.report_pages import full_page


def test_it_makes_the_folder_and_returns_the_path(tmp_path):
    path = write_page(full_page(), tmp_path / "runs" / "demo" / "report.html")
    assert path.read_bytes().startswith(b"<!doctype html>")
    assert os.listdir(path.parent) == ["report.html"]


def test_it_replaces_what_was_there_and_repeats_itself(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    first = write_page(full_page(), path).read_bytes()
    assert write_page(full_page(), str(path)).read_bytes() == first


def test_a_failed_write_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(StorageError, match="No space left"):
        write_page(Page(), path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        write_page(Page(), tmp_path / "file" / "report.html")
