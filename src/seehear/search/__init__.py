"""Search: a collection embedded, its index, and the page on which it is searched.

Names are loaded on first use, so importing the room loads neither Lance nor torch.
"""

from typing import TYPE_CHECKING

from seehear.lazily import lazily

if TYPE_CHECKING:
    from seehear.search.building import Outcome as Outcome
    from seehear.search.building import Wish as Wish
    from seehear.search.building import build_index as build_index
    from seehear.search.collecting import Packing as Packing
    from seehear.search.embedded_table import EmbeddedTable as EmbeddedTable
    from seehear.search.embedding import Settings as Settings
    from seehear.search.embedding import embed as embed
    from seehear.search.filters import Filter as Filter
    from seehear.search.labelling import Labelling as Labelling
    from seehear.search.labelling import label as label
    from seehear.search.near_duplicates import Group as Group
    from seehear.search.near_duplicates import duplicates as duplicates
    from seehear.search.query import Query as Query
    from seehear.search.query import query_of_clip as query_of_clip
    from seehear.search.query import query_of_file as query_of_file
    from seehear.search.searching import Hit as Hit
    from seehear.search.searching import Searcher as Searcher

_HOMES = {
    "EmbeddedTable": "embedded_table",
    "Filter": "filters",
    "Group": "near_duplicates",
    "Hit": "searching",
    "Labelling": "labelling",
    "Outcome": "building",
    "Packing": "collecting",
    "Query": "query",
    "Searcher": "searching",
    "Settings": "embedding",
    "Wish": "building",
    "build_index": "building",
    "duplicates": "near_duplicates",
    "embed": "embedding",
    "label": "labelling",
    "query_of_clip": "query",
    "query_of_file": "query",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
