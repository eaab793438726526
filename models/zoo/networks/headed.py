"""A network with a head, which maps its embeddings to others."""

from torch import Tensor, nn
from torch.nn import functional

from models.zoo.architectures import Recipe


class Headed(nn.Module):
    """A network with a head, which maps its normalised embeddings."""

    def __init__(self, backbone: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.backbone = backbone
        inside, outside = recipe.backbone_dimension, recipe.dimension
        if recipe.head == "linear":
            self.head: nn.Module = nn.Linear(inside, outside, bias=False)
        else:
            self.head = nn.Sequential(
                nn.Linear(inside, 2 * inside), nn.PReLU(), nn.Linear(2 * inside, outside)
            )

    def forward(self, crops: Tensor) -> Tensor:
        return self.head(functional.normalize(self.backbone(crops)))  # type: ignore[no-any-return]
