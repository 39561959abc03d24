"""Puts the radios of a home in their places and lets them hear each other."""

from emulator.air.disturbance import Bursts, Jammer
from emulator.air.medium import Medium
from emulator.air.radio import SimulatedRadio
from emulator.home.description import HomeDescription

HUB, REPLACEMENT = "hub", "hub-2"  # the radios that stand at the hub's place
_SENSED_ONLY = 1.0  # loss: a carrier that is heard and frames that are not taken
_NEAR = -55  # dBm, of a link within a place without coordinates, and of a jammer there


class Siting:
    """The radios of one home on a medium; `link` when all are made."""

    def __init__(self, description: HomeDescription, medium: Medium) -> None:
        self._description, self._medium = description, medium
        self._network = f"{description.name} 2.4 GHz"
        self.radios: dict[str, SimulatedRadio] = {}
        self.backhauls: dict[str, SimulatedRadio] = {}

    def radio(self, name: str) -> SimulatedRadio:
        """Make the radio of the hub or a device."""
        radio = self.radios[name] = self._medium.radio(self._network, name, band=self._description.site.band)
        return radio

    def backhaul_radio(self, bridge: str) -> SimulatedRadio:
        """Make a bridge's second radio."""
        radio = self.backhauls[bridge] = self._medium.radio(f"{self._description.name} backhaul", bridge)
        return radio

    def link(self) -> None:
        """Let radios hear each other by place, and partner bridges over their backhaul."""
        if self._description.site.places:
            self._stand()
        else:
            self._link_places()
        self._link_backhauls()

    def _link_backhauls(self) -> None:
        home, medium = self._description, self._medium
        loss = home.loss if home.backhaul.loss is None else home.backhaul.loss
        siblings: dict[str, list[SimulatedRadio]] = {}  # by the bridge they lead to
        for device in home.devices:
            if device.partner is not None:
                radio = self.backhauls[device.name]
                medium.link(radio, self.backhauls[device.partner], home.backhaul.rssi, loss)
                near = siblings.setdefault(device.partner, [])
                for other in near if home.backhaul.sensed else ():
                    medium.link(radio, other, home.backhaul.rssi, _SENSED_ONLY)
                near.append(radio)

    @property
    def _places(self) -> dict[str, str]:
        return {HUB: self._description.hub.place} | {d.name: d.place for d in self._description.devices}

    @property
    def _bursts(self) -> Bursts | None:
        described = self._description.site.bursts
        return None if described is None else described.bursts

    def _stand(self) -> None:
        """Places have coordinates: signals reach as far as the path loss lets them."""
        home, site, medium = self._description, self._description.site, self._medium
        band = self.radios[HUB].band.name
        medium.obstruct(band, site.obstacles)
        powers = {HUB: home.hub.power} | {device.name: device.power for device in home.devices}
        path = site.propagation.path
        for name, place in self._places.items():
            medium.stand(
                self.radios[name], site.point(place), powers[name], path=path, loss=home.loss, bursts=self._bursts
            )
        for described in site.jammers:
            jammer = described.jammer(home.name, medium.clock.now())
            medium.stand_jammer(band, jammer, site.point(described.place), described.power, path)

    def place_another(self, name: str, place: str, power: float) -> SimulatedRadio:
        """Make a radio of this home after all others were linked."""
        home, medium = self._description, self._medium
        radio = self.radio(name)
        if home.site.places:
            point, path = home.site.point(place), home.site.propagation.path
            medium.stand(radio, point, power, path=path, loss=home.loss, bursts=self._bursts)
            return radio
        for other, where in self._places.items():
            if where == place:
                medium.link(radio, self.radios[other], _NEAR, home.loss, self._bursts)
        return radio

    def _link_places(self) -> None:
        """Places are names: who is in one hears all the others there."""
        home, places = self._description, self._places
        names = list(places)
        for number, one in enumerate(names):
            for other in names[number + 1 :]:
                if places[one] == places[other]:
                    self._medium.link(self.radios[one], self.radios[other], _NEAR, home.loss, self._bursts)
        for described in home.site.jammers:
            self._jam(described.jammer(home.name, self._medium.clock.now()), described.place)

    def _jam(self, jammer: Jammer, place: str) -> None:
        for name, where in self._places.items():
            if where == place:
                jammer.levels[self.radios[name]] = float(_NEAR)
        self._medium.jam(self.radios[HUB].band.name, jammer)
