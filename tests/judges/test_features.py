"""What is said of features, against scikit-learn and against loops."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from sdrun.judges.features import Probe, knn_votes, rankme


def clusters(num, seed=0):
    """Three overlapping clusters in eight dimensions, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(3, 8, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(0, 3, (num,), generator=generator)
    return centres[labels] + 1.2 * torch.randn(num, 8, generator=generator), labels


def test_votes_equal_scikit_learns_weighted_neighbours():
    (x, y), (queries, _) = clusters(300), clusters(1200, seed=1)
    votes = knn_votes(queries, x, y, 3, (5, 20))
    for k in (5, 20):
        reference = KNeighborsClassifier(
            k, metric="cosine", algorithm="brute", weights=lambda distance: np.exp((1 - distance) / 0.07)
        ).fit(x.numpy(), y.numpy())
        probability = votes[k] / votes[k].sum(dim=1, keepdim=True)
        np.testing.assert_allclose(probability.numpy(), reference.predict_proba(queries.numpy()), atol=2e-3)


def test_fewer_references_than_neighbours_all_vote():
    (x, y), (queries, _) = clusters(7), clusters(4, seed=1)
    votes = knn_votes(queries, x, y, 3, (200,))[200]
    weight = (F.normalize(queries, dim=1) @ F.normalize(x, dim=1).T / 0.07).exp()
    torch.testing.assert_close(votes, weight @ F.one_hot(y, 3).float())


def test_the_probe_equals_scikit_learns_logistic_regression():
    (x, y), (queries, _) = clusters(300), clusters(50, seed=1)
    scaler = StandardScaler().fit(x.numpy())
    reference = LogisticRegression(C=1 / (300 * 0.01), tol=1e-8).fit(scaler.transform(x.numpy()), y.numpy())
    found = Probe(x, y, 3, decay=0.01)(queries).softmax(dim=1)
    np.testing.assert_allclose(found.numpy(), reference.predict_proba(scaler.transform(queries.numpy())), atol=2e-3)


def test_a_feature_that_never_changes_does_no_harm():
    x, y = clusters(100)
    logits = Probe(torch.cat([x, torch.ones(100, 1)], dim=1), y, 3, 0.01)(torch.ones(5, 9))
    assert torch.isfinite(logits).all()


def test_rank_is_1_when_all_features_are_one_and_d_when_they_fill_the_space():
    assert rankme(torch.ones(50, 8)) == pytest.approx(1, abs=1e-4)
    assert rankme(torch.eye(8)) == pytest.approx(8, rel=1e-4)
    x = clusters(200)[0]
    singular = np.linalg.svd(x.numpy().astype(np.float64), compute_uv=False)
    share = singular / singular.sum()
    assert rankme(x) == pytest.approx(math.exp(-(share * np.log(share)).sum()), rel=1e-6)
