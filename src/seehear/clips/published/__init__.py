"""The lists that published data sets come as, and what of them is on this disk: one file per kind of list.

A list is read (`read_list`), its clips are looked up in a folder of media, and what is there becomes a manifest and a
report (`assemble`). Annotations of test sets are read beside (`read_vgg_ss`). Names are loaded on first use.
"""

from typing import TYPE_CHECKING

from seehear.lazily import lazily

if TYPE_CHECKING:
    from seehear.clips.published.assembling import Assembled as Assembled
    from seehear.clips.published.assembling import assemble as assemble
    from seehear.clips.published.avsbench import MaskedClip as MaskedClip
    from seehear.clips.published.avsbench import MaskedClips as MaskedClips
    from seehear.clips.published.avsbench import read_avsbench as read_avsbench
    from seehear.clips.published.avsbench import read_masks as read_masks
    from seehear.clips.published.boxes import BoxedClip as BoxedClip
    from seehear.clips.published.boxes import Boxes as Boxes
    from seehear.clips.published.boxes import BoxReport as BoxReport
    from seehear.clips.published.class_list import ClassList as ClassList
    from seehear.clips.published.class_list import read_class_list as read_class_list
    from seehear.clips.published.flickr_soundnet import read_flickr_soundnet as read_flickr_soundnet
    from seehear.clips.published.gallery import retrieval_subset as retrieval_subset
    from seehear.clips.published.id_list import read_ids as read_ids
    from seehear.clips.published.listed import ListedClip as ListedClip
    from seehear.clips.published.listed import PublishedList as PublishedList
    from seehear.clips.published.lists import KINDS as KINDS
    from seehear.clips.published.lists import read_list as read_list
    from seehear.clips.published.music import SoundPair as SoundPair
    from seehear.clips.published.music import SoundPairs as SoundPairs
    from seehear.clips.published.music import read_music as read_music
    from seehear.clips.published.music import read_pairs as read_pairs
    from seehear.clips.published.report import DatasetReport as DatasetReport
    from seehear.clips.published.vgg_ss import read_vgg_ss as read_vgg_ss
    from seehear.clips.published.wishes import Wishes as Wishes
    from seehear.clips.published.writing import write_manifest as write_manifest

_HOMES = {
    "Assembled": "assembling",
    "BoxReport": "boxes",
    "BoxedClip": "boxes",
    "Boxes": "boxes",
    "ClassList": "class_list",
    "DatasetReport": "report",
    "KINDS": "lists",
    "ListedClip": "listed",
    "MaskedClip": "avsbench",
    "MaskedClips": "avsbench",
    "PublishedList": "listed",
    "SoundPair": "music",
    "SoundPairs": "music",
    "Wishes": "wishes",
    "assemble": "assembling",
    "read_avsbench": "avsbench",
    "read_class_list": "class_list",
    "read_flickr_soundnet": "flickr_soundnet",
    "read_ids": "id_list",
    "read_list": "lists",
    "read_masks": "avsbench",
    "read_music": "music",
    "read_pairs": "music",
    "read_vgg_ss": "vgg_ss",
    "retrieval_subset": "gallery",
    "write_manifest": "writing",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
