"""Alerts of devices: what was sent in the tunnels is what users received, inside suppression windows too."""

from collections.abc import Iterator

from gateway.campaigns.verify.air import Carried
from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import Verdict, mac_verdict
from gateway.campaigns.verify.messages import NETWORK_OPERATOR, SUPPLIER, Mail
from gateway.campaigns.verify.updates import Notice, notices, tells, upgrade_alerts
from gateway.campaigns.verify.windows import windows
from protocols.addresses import Eui64


def _label(evidence: Evidence, carried: Carried) -> str:
    return f"alert {carried.code:04X} of {evidence.name(carried.device)} at {utc(carried.time)} (frame {carried.frame})"


def _authentic(evidence: Evidence, carried: Carried) -> bool:
    """Return whether an alert is validly signed or, not being critical, has a good MAC for its target."""
    if carried.valid or carried.judged is None:
        return carried.valid
    message, files = carried.judged.message, evidence.files
    return mac_verdict(message, message.target, files.organisations, files.certificates) is Verdict.VALID


def _delivered(evidence: Evidence) -> dict[bytes, Mail]:
    """Return the alerts of devices that users got, by their GBCS octets."""
    return {octets: mail for mail, _, octets in evidence.users.device_alerts()}


def _users(evidence: Evidence) -> dict[Eui64, str]:
    """Return the mailbox of each organisation that has one."""
    found = {exchange.request.request_id.originator: exchange.user for exchange in evidence.users.exchanges}
    for mail in evidence.users.mail:
        response_id = mail.response.response_id
        if response_id is not None:
            found.setdefault(response_id.target, mail.user)
    return found


def check_all_delivered(evidence: Evidence) -> Iterator[Check]:
    """X-2: the alerts in the mailboxes are those that devices sent, octet for octet, none lost and none invented."""
    facts, faults = list[str](), list[str]()
    delivered, users = _delivered(evidence), _users(evidence)
    sent: dict[bytes, Carried] = {}
    reached: dict[str, int] = {}
    for carried in evidence.air.alerts():
        judged = carried.judged
        if judged is None or judged.message.target == evidence.broker:
            continue  # told in DCC alerts: MP170-C13
        sent[carried.octets] = carried
        mail, user = delivered.get(carried.octets), users.get(judged.message.target)
        authentic = _authentic(evidence, carried)
        if authentic and (mail is None or mail.user != user):
            where = "is in no mailbox" if mail is None else f"is in the mailbox of {mail.user}"
            faults.append(f"{_label(evidence, carried)} {where}")
        elif not authentic and mail is not None:
            faults.append(f"{_label(evidence, carried)} is not validly signed, yet {mail.place} passes it on")
        elif mail is not None:
            reached[mail.user] = reached.get(mail.user, 0) + 1
    for octets, mail in delivered.items():
        if octets not in sent:
            faults.append(f"{mail.place} is an alert no device sent over the air")
    facts += [
        f"{count(number, 'alert')} of devices in the mailbox of {user}" for user, number in sorted(reached.items())
    ]
    if SUPPLIER not in reached or NETWORK_OPERATOR not in reached:
        faults.append("supplier or network operator got no alert of a device")
    yield conclude("X-2", "alerts of devices delivered", facts=facts, faults=faults, missing="no alert on the air")


def check_inside_windows(evidence: Evidence) -> Iterator[Check]:
    """X-2: what devices alert while AD1 are suppressed reaches its user all the same."""
    facts, faults = list[str](), list[str]()
    delivered = _delivered(evidence)
    by_frame = {notice.carried.frame: notice for notice in notices(evidence)}
    open_windows = [window for window in windows(evidence) if window.taken_back is None]
    for carried in evidence.air.alerts():
        window = next((w for w in open_windows if w.start <= carried.time < w.end), None)
        if window is None or not _authentic(evidence, carried):
            continue
        notice = by_frame.get(carried.frame)
        mail = delivered.get(carried.octets) if notice is None else _n39(evidence, notice)
        if mail is None:
            faults.append(f"{_label(evidence, carried)}, inside a window, reached nobody")
        else:
            facts.append(f"{_label(evidence, carried)}, inside a window, is {mail.place}")
    missing = "no other alert was sent inside a window"
    yield conclude("X-2", "suppression touches AD1 only", facts=facts, faults=faults, missing=missing)


def _n39(evidence: Evidence, notice: Notice) -> Mail | None:
    return next((mail for mail, alert in upgrade_alerts(evidence) if tells(alert, notice)), None)
