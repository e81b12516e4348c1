"""Metrics: pure functions on arrays. Ties never help, NaN is an error, chance and ceilings stand beside each figure."""

from seehear.metrics.accuracy import top_k_correct
from seehear.metrics.average_precision import average_precision, mean_average_precision
from seehear.metrics.chance import chance_agreement, chance_median_rank, chance_recall, chance_top_k
from seehear.metrics.class_mean import ClassMean
from seehear.metrics.class_oracle import oracle_agreement, oracle_median_rank, oracle_recall
from seehear.metrics.confidence import jackknife_lower_bound, mean_lower_bound, wilson_lower_bound
from seehear.metrics.knn import knn_vote
from seehear.metrics.localization import (
    best_at_coverage,
    centre_disc,
    ciou,
    consensus_truth,
    covering,
    covering_as_much,
    hit_area,
    hit_share,
    pointing,
    union_truth,
)
from seehear.metrics.localization_negatives import Detection, detection, false_positives
from seehear.metrics.modality_confusion import ModalityConfusion, modality_confusion
from seehear.metrics.modality_gap import modality_gap
from seehear.metrics.neighbours import neighbour_agreement, neighbour_weights
from seehear.metrics.ranks import cosine_ranks, median_rank, recall_at, score_ranks
from seehear.metrics.relevance import label_groups, shares_label
from seehear.metrics.retrieval import paired_ranks
from seehear.metrics.roc import area_under_roc, d_prime, mean_area_under_roc
from seehear.metrics.segmentation import Segmentation, segmentation
from seehear.metrics.separation import Separation, bss_eval, mixtures, separation, si_sdr

__all__ = [
    "ClassMean",
    "Detection",
    "ModalityConfusion",
    "Segmentation",
    "Separation",
    "area_under_roc",
    "average_precision",
    "best_at_coverage",
    "bss_eval",
    "centre_disc",
    "chance_agreement",
    "chance_median_rank",
    "chance_recall",
    "chance_top_k",
    "ciou",
    "consensus_truth",
    "cosine_ranks",
    "covering",
    "covering_as_much",
    "d_prime",
    "detection",
    "false_positives",
    "hit_area",
    "hit_share",
    "jackknife_lower_bound",
    "knn_vote",
    "label_groups",
    "mean_area_under_roc",
    "mean_average_precision",
    "mean_lower_bound",
    "median_rank",
    "mixtures",
    "modality_confusion",
    "modality_gap",
    "neighbour_agreement",
    "neighbour_weights",
    "oracle_agreement",
    "oracle_median_rank",
    "oracle_recall",
    "paired_ranks",
    "pointing",
    "recall_at",
    "score_ranks",
    "segmentation",
    "separation",
    "shares_label",
    "si_sdr",
    "top_k_correct",
    "union_truth",
    "wilson_lower_bound",
]
