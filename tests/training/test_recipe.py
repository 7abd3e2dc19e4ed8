import pytest

from dimlaws.errors import ConfigError
from dimlaws.training.recipe import Recipe


def test_momentum_belongs_to_sgd():
    assert Recipe(optimizer="sgd", momentum=0.9).momentum == 0.9
    with pytest.raises(ConfigError, match=r"training\.momentum is 0\.9 with optimizer adam"):
        Recipe(optimizer="adam", momentum=0.9)


def test_rewinding_lies_within_the_run():
    assert Recipe(steps=5, rewind_step=4).rewind_step == 4
    with pytest.raises(ConfigError, match="valid: 0 to 4"):
        Recipe(steps=5, rewind_step=5)
