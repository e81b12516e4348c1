"""Tasks: each yields named figures with chance, the untrained network and the ceiling beside them."""

from seehear.tasks.embed import embed
from seehear.tasks.embedding_files import load_embeddings, save_embeddings
from seehear.tasks.embeddings import Embeddings
from seehear.tasks.figures import (
    below_chance_factor,
    from_json,
    read_figures,
    table,
    times_chance,
    to_json,
    write_figures,
)
from seehear.tasks.fine_tuned import Answers, Protocol, fine_tuned
from seehear.tasks.galleries import Galleries
from seehear.tasks.linear_probe import linear_probe
from seehear.tasks.localization import localization
from seehear.tasks.localization_maps import similarity_maps
from seehear.tasks.localization_targets import Target, published_targets, world_targets
from seehear.tasks.missing_modality import missing_modality
from seehear.tasks.modality_gap import modality_gap
from seehear.tasks.nearest_neighbours import nearest_neighbours
from seehear.tasks.predictions import Predictions, WrongPairs, predict, predict_wrong_pairs
from seehear.tasks.raw_features import raw_features
from seehear.tasks.reconstruction import reconstruction
from seehear.tasks.retrieval import retrieval
from seehear.tasks.separation import separation
from seehear.tasks.separation_mixtures import Mixture, clip_mixtures, keyed_pairs, world_duets

__all__ = [
    "Answers",
    "Embeddings",
    "Galleries",
    "Mixture",
    "Predictions",
    "Protocol",
    "Target",
    "WrongPairs",
    "below_chance_factor",
    "clip_mixtures",
    "embed",
    "fine_tuned",
    "from_json",
    "keyed_pairs",
    "linear_probe",
    "load_embeddings",
    "localization",
    "missing_modality",
    "modality_gap",
    "nearest_neighbours",
    "predict",
    "predict_wrong_pairs",
    "published_targets",
    "raw_features",
    "read_figures",
    "reconstruction",
    "retrieval",
    "save_embeddings",
    "separation",
    "similarity_maps",
    "table",
    "times_chance",
    "to_json",
    "world_duets",
    "world_targets",
    "write_figures",
]
