"""The primitives of tables as torch modules: (B, C, F) -> (B, C, F), for F columns that are each a vector of C numbers.

Sources: see `names`. Every one ends in the batch normalisation that it is given, as the house's convolutions do.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

HEAD = 8
"""Channels of one head of an attention, where the channels can be divided so; else there is one head."""

Norm = Callable[[int], nn.Module]
"""A batch normalisation of so many channels."""


class Linear(nn.Module):
    """ReLU, a linear map of the columns, one of the channels, normalisation.

    The ReLU comes first, as in the house's convolutions: of tokens that each know their own column only, this is a sum of functions of
    single columns, and a second one is what relates columns in other ways.
    """

    source_name = "LinearLayer"

    def __init__(self, channels: int, columns: int, norm: Norm) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.across = nn.Linear(columns, columns, bias=False)
        self.along = nn.Conv1d(channels, channels, 1, bias=False)
        self.norm = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.norm(self.along(self.across(self.relu(x))))
        return result


class GatedLinear(nn.Module):
    """GLU: (W1 x + b1) * sigmoid(W2 x + b2) of columns that a linear map has mixed, normalised."""

    def __init__(self, channels: int, columns: int, norm: Norm) -> None:
        super().__init__()
        self.across = nn.Linear(columns, columns, bias=False)
        self.value = nn.Conv1d(channels, channels, 1)
        self.gate = nn.Conv1d(channels, channels, 1)
        self.norm = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.across(x)
        result: Tensor = self.norm(self.value(mixed) * torch.sigmoid(self.gate(mixed)))
        return result


class ResidualBlock(nn.Module):
    """x + norm(W2 relu(norm(W1 x))), where W1 maps columns and channels, W2 channels."""

    source_name = "TableResidualBlock"

    def __init__(self, channels: int, columns: int, norm: Norm) -> None:
        super().__init__()
        self.across = nn.Linear(columns, columns, bias=False)
        self.first = nn.Conv1d(channels, channels, 1, bias=False)
        self.first_norm = norm(channels)
        self.relu = nn.ReLU()
        self.second = nn.Conv1d(channels, channels, 1, bias=False)
        self.second_norm = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second_norm(self.second(self.relu(self.first_norm(self.first(self.across(x))))))
        return result


class Attention(nn.Module):
    """Multi-head self-attention in which the columns are the tokens (Vaswani et al. 2017, section 3.2), normalised.

    Of each head: softmax over columns j of (q_i . k_j / sqrt(channels of the head)) weighs the values v_j.
    """

    source_name = "ColumnAttention"

    def __init__(self, channels: int, columns: int, norm: Norm) -> None:
        super().__init__()
        self.heads = channels // HEAD if channels % HEAD == 0 else 1
        self.query = nn.Conv1d(channels, channels, 1, bias=False)
        self.key = nn.Conv1d(channels, channels, 1, bias=False)
        self.value = nn.Conv1d(channels, channels, 1, bias=False)
        self.out = nn.Conv1d(channels, channels, 1, bias=False)
        self.norm = norm(channels)
        self.scale = (channels // self.heads) ** -0.5

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (layer(x).unflatten(1, (self.heads, -1)) for layer in (self.query, self.key, self.value))
        weights = torch.softmax(torch.matmul(query.transpose(2, 3), key) * self.scale, dim=3)
        mixed = torch.matmul(value, weights.transpose(2, 3)).flatten(1, 2)
        result: Tensor = self.norm(self.out(mixed))
        return result


OF_TABLES: dict[str, Callable[[int, int, Norm], nn.Module]] = {
    "linear": Linear, "gated_linear": GatedLinear, "residual_block": ResidualBlock, "attention": Attention,
}


class Tokens(nn.Module):
    """A vector as columns: (B, features) -> (B, C, columns). `widths` says how many places each column has, side by side.

    A number x becomes x w + b with vectors w and b of its own (Gorishniy et al. 2021, section 3.3), a category, given by its indicators,
    a row of its own table of embeddings, plus b.
    """

    source_name = "ColumnTokens"

    def __init__(self, widths: tuple[int, ...], channels: int) -> None:
        super().__init__()
        # Numbers side by side are one part: a part for each of hundreds would take long.
        self.sizes: list[int] = []
        parts: list[nn.Module] = []
        for width in widths:
            if width == 1 and parts and isinstance(parts[-1], Numbers):
                self.sizes[-1] += 1
                parts[-1] = Numbers(self.sizes[-1], channels)
            else:
                self.sizes.append(width)
                parts.append(Numbers(1, channels) if width == 1 else Category(width, channels))
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        pieces = x.split(self.sizes, dim=1)
        return torch.cat([part(piece) for part, piece in zip(self.parts, pieces, strict=True)], dim=2)


class Numbers(nn.Module):
    """Numbers side by side: (B, n) -> (B, C, n), x w + b with vectors w and b for each."""

    source_name = "NumberTokens"

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, count).uniform_(-1.0, 1.0))
        self.bias = nn.Parameter(torch.empty(channels, count).uniform_(-1.0, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1) * self.weight + self.bias


class Category(nn.Module):
    """One category by its indicators: (B, values) -> (B, C, 1). `embedding.weight` (C, values) is the table of embeddings: a product
    with a one among zeros looks a column up in it."""

    source_name = "CategoryToken"

    def __init__(self, values: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(values, channels)
        nn.init.uniform_(self.embedding.weight, -1.0, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        token: Tensor = self.embedding(x).unsqueeze(2)
        return token
