"""Units as products of powers, so that cores are never compared with bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """Powers of base units, sorted by name; none = a plain number."""

    powers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> Unit:
        """Return the unit that a feature names: `cores`, `USD/month`, `1/s`; `1` and "" are plain numbers."""
        above, _, below = text.partition("/")
        powers = {name: power for name, power in ((above, 1), (below, -1)) if name not in {"", "1"}}
        return cls(tuple(sorted(powers.items())))

    def times(self, other: Unit, sign: int = 1) -> Unit:
        """Return the product, or with sign -1 the quotient."""
        powers = dict(self.powers)
        for name, power in other.powers:
            powers[name] = powers.get(name, 0) + sign * power
        return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)))

    def __str__(self) -> str:
        if not self.powers:
            return "a plain number"
        above = [_power(name, power) for name, power in self.powers if power > 0]
        below = [_power(name, -power) for name, power in self.powers if power < 0]
        return " ".join(above or ["1"]) + ("/" + "/".join(below) if below else "")


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


NUMBER = Unit()
