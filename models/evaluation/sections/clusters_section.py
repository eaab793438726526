"""The section of clusters."""

from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import LabelledPhotos
from models.evaluation.protocols.clusters import kmeans_nmi
from models.evaluation.report.report_document import Figure, Section


def clusters_section(photos: LabelledPhotos, options: EvaluationOptions) -> Section:
    usable = photos.usable
    nmi = kmeans_nmi(photos.embeddings[usable], photos.people[usable], seed=options.seed)
    return Section(
        "Clusters",
        (Figure("clusters.nmi", "NMI of k-means clusters, as many as people", nmi),),
        notes=("NMI is high by chance where people have few photos: only compare networks by it.",),
    )
