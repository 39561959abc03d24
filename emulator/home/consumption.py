"""The part of a home's description that tells what its people use, what it costs, and what they are told."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from emulator.consumption.household import HouseholdSettings
from emulator.consumption.tariff import Switch, Tariff
from protocols.errors import UsageError


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _tariff(data: object) -> Tariff:
    if isinstance(data, Tariff):
        return data
    if not isinstance(data, dict):
        raise ValueError("a tariff has label, prices, tier_labels, standing_charge and switches")
    fields = dict(data)
    try:
        for name in ("prices", "tier_labels"):
            if name in fields:
                first, second = fields[name]
                fields[name] = (first, second)
        if "switches" in fields:
            fields["switches"] = tuple(Switch(half_hour, tier) for half_hour, tier in fields["switches"])
        return Tariff(**fields)
    except (TypeError, ValueError, UsageError) as wrong:
        raise ValueError(f"not a tariff: {wrong}") from wrong


TariffText = Annotated[Tariff, PlainValidator(_tariff)]


class Prepayment(_Model):
    """Hundred-thousandths of a pound."""

    opening_credit: int = 2_000_000
    low: int = 200_000
    emergency_limit: int = 500_000
    vouchers: dict[str, int] = {}
    """Top-up codes (20 digits) and what they are worth; a PPMID of the home types them in when credit is gone."""


class Message(_Model):
    """A text the supplier has the meter show."""

    after: int = Field(ge=0)  # seconds from the ESME's start
    text: str = Field(min_length=1, max_length=116)
    confirm: bool = False


class Consumption(_Model):
    standby: int = Field(default=120, ge=0)  # W
    electricity: int = Field(default=100, ge=0)  # % of what the appliances draw
    gas: int = Field(default=100, ge=0)
    solar_peak: int = Field(default=0, ge=0)  # W
    heating: int = Field(default=0, ge=0)  # W of a storage heater, on the second element of a twin-element ESME
    electricity_tariff: TariffText = Tariff()
    heating_tariff: TariffText = Tariff()
    gas_tariff: TariffText = Tariff(prices=(78_000, 78_000), standing_charge=31_000)
    prepayment: Prepayment | None = None
    messages: tuple[Message, ...] = ()

    @property
    def settings(self) -> HouseholdSettings:
        return HouseholdSettings(
            standby=self.standby, electricity=self.electricity, gas=self.gas, solar_peak=self.solar_peak
        )
