"""Crops to train on are those that the service embeds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.datasets.crop_cutter import CropCutter, crops_folder
from app.datasets.photo_listing import ListedPhoto, PhotoListing, read_listing
from app.datasets.photo_source import PhotoSource, SubjectRule
from app.recognition.embedder import NetworkEmbedder
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_face
from app.settings import Settings
from models.training.errors import StoreUnusableError
from models.zoo.network import Network
from tests.kit import photos


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> PhotoListing:
    """A large photo, which is decoded at a fraction of its size, a small one, and one of two."""
    folder = tmp_path_factory.mktemp("people")
    large = photos.hopper().resize((3000, 3515), Image.Resampling.LANCZOS)
    for name, image in (
        ("Grace/1.jpg", large),
        ("Eileen/1.png", ImageOps.mirror(photos.astronaut())),
        ("Eileen/2.jpg", photos.group()),
        ("Eileen/3.jpg", photos.coffee()),
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        image.save(path)
    return read_listing(PhotoSource(folder))


async def test_crops_embed_as_their_photos_do(
    listing: PhotoListing, recognizer: Recognizer, network: Network, tmp_path: Path
) -> None:
    settings = Settings(device="cpu")
    cutter = CropCutter(recognizer, SubjectRule.LARGEST, network.spec.input, settings)
    store = await cutter.cut(listing, tmp_path / "crops")
    assert store.failures == (("Eileen/3.jpg", "no_face"),)
    crops = [store.crop(number) for number in range(len(store))]
    found = NetworkEmbedder(network).embed(crops)
    paths = {photo.name: photo.path for photo in listing.photos}
    for name, row in zip(store.photos, found, strict=True):
        embedded = await recognizer.embed(paths[name].read_bytes(), largest_face)
        np.testing.assert_allclose(row, embedded.faces[0].embedding, atol=1e-5)


async def test_a_photo_is_cut_once_whatever_it_is_called(
    listing: PhotoListing, recognizer: Recognizer, network: Network, tmp_path: Path
) -> None:
    settings = Settings(device="cpu")
    cutter = CropCutter(recognizer, SubjectRule.SINGLE, network.spec.input, settings)
    copy = ListedPhoto("Ada/1.jpg", listing.photos[-1].path, "Ada")
    twice = PhotoListing((copy, *listing.photos))
    done = []
    store = await cutter.cut(twice, tmp_path / "crops", lambda: done.append(1))
    assert len(done) == 5
    assert store.names == ("Ada", "Eileen", "Grace")
    assert dict(store.failures) == {"Eileen/2.jpg": "several_faces", "Eileen/3.jpg": "no_face"}
    assert len(store.crops) == 2
    assert len(store) == 3
    largest = CropCutter(recognizer, SubjectRule.LARGEST, network.spec.input, settings)
    with pytest.raises(StoreUnusableError, match="cut otherwise"):
        await largest.cut(twice, tmp_path / "crops")


def test_other_crops_lie_in_other_folders(network: Network, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, device="cpu")
    folders = {
        crops_folder(settings, network.spec.input, rule, source)
        for rule in SubjectRule
        for source in (Path("a"), Path("b"))
    }
    assert len(folders) == 6
