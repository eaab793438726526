"""Training on some classes helps with classes that were never seen."""

from statistics import mean

from benchmarks.training.digits import measure


def test_a_classifier_and_a_metric_loss_beat_raw_pixels_on_unseen_digits() -> None:
    scores = measure(["softmax", "multi-similarity"], seeds=1, steps=25)
    (raw,) = scores["raw pixels"]
    for name in ("softmax", "multi-similarity"):
        recall, nmi = (mean(getattr(s, of) for s in scores[name]) for of in ("recall", "nmi"))
        assert recall > raw.recall + 0.1
        assert nmi > raw.nmi + 0.1
