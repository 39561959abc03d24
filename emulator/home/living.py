"""Gives the devices of a home their part in its life: flows to meter, tariffs, what to read, what to switch.

Which device is to be joined to which is no part of a device: `emulator/home/pairs.py`.
"""

from dataclasses import dataclass, field
from typing import Any

from emulator.consumption import household
from emulator.consumption.flow import Flow, PhasedFlow, SwitchedLoad
from emulator.consumption.voltage import Voltage
from emulator.devices.esme import EsmeSettings
from emulator.devices.gsme import GsmeSettings
from emulator.devices.hcalcs import HcalcsSettings
from emulator.devices.ppmid import PpmidSettings
from emulator.home.description import DeviceDescription, HomeDescription
from emulator.parts.account import AccountSettings
from emulator.parts.auxiliary_switches import AuxiliarySwitch
from emulator.parts.display import DisplaySettings
from emulator.parts.electricity_meter import Connected, ElectricitySettings
from emulator.parts.gas_meter import GasSettings
from emulator.parts.load_control import OnTime
from emulator.parts.meter_reader import ReaderSettings
from emulator.parts.tunnel_client import TunnelClientSettings
from protocols.interfaces import SECOND, Entropy


@dataclass(slots=True)
class Life:
    """Of one home; `joins` is False where nobody joins the devices to each other, as with a hub of others."""

    home: HomeDescription
    entropy: Entropy
    joins: bool = True
    _loads: dict[str, SwitchedLoad] = field(default_factory=dict)

    def arguments(self, described: DeviceDescription) -> dict[str, Any]:
        """Return the keyword arguments of a device that its part in the home needs."""
        makers = {
            "esme": self._esme, "gsme": self._gsme, "hcalcs": self._hcalcs,
            "ppmid": self._ppmid, "ihd": self._display, "cad": self._display,
        }  # fmt: skip
        make = makers.get(described.kind)
        return {} if make is None else make(described)

    def _load(self, described: DeviceDescription) -> SwitchedLoad:
        return self._loads.setdefault(described.name, SwitchedLoad(described.load))

    def _esme(self, described: DeviceDescription) -> dict[str, Any]:
        use, entropy = self.home.consumption, self.entropy
        switches = [device for device in self.home.devices if device.kind == "hcalcs"]
        calendar = tuple(OnTime(begin, length) for device in switches for begin, length in device.on_times)
        account = AccountSettings()
        if use.prepayment is not None:
            paid = use.prepayment
            account = AccountSettings(
                prepaid=True, opening_credit=paid.opening_credit, low=paid.low, emergency_limit=paid.emergency_limit,
                vouchers={code.encode(): worth for code, worth in paid.vouchers.items()},
            )  # fmt: skip
        metering = ElectricitySettings(
            variant=described.variant,
            tariff=use.electricity_tariff,
            second_tariff=use.heating_tariff,
            account=account,
            load_calendar=calendar,
        )
        feeds = described.powers_hub  # the home's other ESME stand for others' supplies: nothing flows in them
        twin = household.heating(entropy, self.home.name, use.heating) if metering.elements == "twin" else None
        connected = Connected(
            flow=self._electricity(),
            second=twin,
            loads=tuple(self._load(device) for device in switches),
            auxiliary=tuple(
                AuxiliarySwitch(SwitchedLoad(switch.load), tuple(OnTime(*on) for on in switch.on_times))
                for switch in described.alcs
            ),
            voltage=Voltage(entropy, self.home.name, phases=self.home.phases),
        )
        settings = EsmeSettings(metering=metering, hub_phase=described.hub_phase)
        return {"esme_settings": settings, "connected": connected if feeds else None}

    def _electricity(self) -> Flow:
        """Return what the household uses, on one phase or on three."""
        name, settings = self.home.name, self.home.consumption.settings
        if self.home.phases == 1:
            return household.electricity(self.entropy, name, settings)
        return PhasedFlow(household.electricity_phases(self.entropy, name, settings))

    def _gsme(self, described: DeviceDescription) -> dict[str, Any]:
        use = self.home.consumption
        return {
            "flow": household.gas(self.entropy, self.home.name, use.settings),
            "gsme_settings": GsmeSettings(
                tunnel=TunnelClientSettings(wake_period=described.polls_every * SECOND),
                metering=GasSettings(tariff=use.gas_tariff),
            ),
        }

    def _hcalcs(self, described: DeviceDescription) -> dict[str, Any]:
        return {"load": self._load(described), "hcalcs_settings": HcalcsSettings(controlled=self.joins)}

    def _display(self, described: DeviceDescription) -> dict[str, Any]:
        return {"settings": self._display_settings(described)}

    def _display_settings(self, described: DeviceDescription) -> DisplaySettings | None:
        reader = ReaderSettings(every=described.reads_every * SECOND)
        return DisplaySettings(reader=reader) if self.joins else None

    def _ppmid(self, described: DeviceDescription) -> dict[str, Any]:
        paid = self.home.consumption.prepayment
        vouchers = () if paid is None else tuple(code.encode() for code in paid.vouchers)
        return {"ppmid_settings": PpmidSettings(display=self._display_settings(described), vouchers=vouchers)}
