"""Every RTDS message kept beside the project, judged by its published octets and keys."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from protocols.gbcs import document
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.protection import ABSENT, VALID, check
from protocols.gbcs.tree import OCTETS, from_tree, to_tree
from protocols.gbcs.use_cases import alert_code_of, use_case_of
from tests.support.vectors import ROOT, rtds_keystore, rtds_names, rtds_octets, vectors_dir

pytestmark = pytest.mark.judge("rtds")

PRE_COMMANDS = [name for name in rtds_names() if "PRECOMMAND" in name]

_RESTORE = """
import json, sys
from protocols.gbcs.document import restore
for line in sys.stdin:
    print(restore(json.loads(line)).hex())
"""


def test_all_published_messages_are_here() -> None:
    vectors_dir()
    assert len(rtds_names()) == 101
    assert len(PRE_COMMANDS) == 11


def test_the_messages_are_of_the_published_categories() -> None:
    vectors_dir()
    assert Counter(Message.decode(rtds_octets(name)).category for name in rtds_names()) == {
        Category.CRITICAL_COMMAND: 21,
        Category.CRITICAL_RESPONSE: 24,
        Category.NON_CRITICAL_COMMAND: 15,
        Category.NON_CRITICAL_RESPONSE: 14,
        Category.CRITICAL_ALERT: 10,
        Category.NON_CRITICAL_ALERT: 5,
        Category.SIGNED_COMMAND: 1,
        Category.PRE_COMMAND: 11,
    }


@pytest.mark.parametrize("name", rtds_names())
def test_a_message_is_re_encoded_to_its_octets(name: str) -> None:
    octets = rtds_octets(name)
    message = Message.decode(octets)
    kind = name.split("_")[-2]
    assert message.encode() == octets
    assert message.cra.name == kind.removeprefix("PRE")
    assert (message.category is Category.PRE_COMMAND) == (kind == "PRECOMMAND")
    assert use_case_of(message.message_code) != "unknown"


@pytest.mark.parametrize("name", rtds_names())
def test_signature_and_mac_verify_with_the_published_keys(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    verdict = check(message, rtds_keystore())
    assert verdict.signature == (VALID if message.signature else ABSENT)
    assert verdict.mac == (ABSENT if message.mac is None else VALID)


def test_56_signatures_and_55_macs_were_checked() -> None:
    keystore = rtds_keystore()
    verdicts = [check(Message.decode(rtds_octets(name)), keystore) for name in rtds_names()]
    assert Counter(verdict.signature for verdict in verdicts) == {VALID: 56, ABSENT: 45}
    assert Counter(verdict.mac for verdict in verdicts) == {VALID: 55, ABSENT: 46}


@pytest.mark.parametrize("name", PRE_COMMANDS)
def test_a_pre_command_is_the_unsigned_part_of_its_command(name: str) -> None:
    octets = rtds_octets(name)
    command = Message.decode(rtds_octets(name.replace("PRECOMMAND", "COMMAND")))
    assert octets == b"\xdf" + command.signed_octets()
    assert command.category is Category.CRITICAL_COMMAND


@pytest.mark.parametrize("name", [name for name in rtds_names() if "_RESPONSE_" in name and "Contingency" not in name])
def test_a_response_answers_its_command(name: str) -> None:
    response = Message.decode(rtds_octets(name))
    command = Message.decode(rtds_octets(name.replace("_RESPONSE_", "_COMMAND_")))
    assert (response.counter, response.originator, response.target) == (
        command.counter,
        command.target,
        command.originator,
    )
    assert response.other_information() == command.other_information()


@pytest.mark.parametrize("name", rtds_names())
def test_a_payload_is_understood_and_comes_back_from_its_tree(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    tree = to_tree(message.payload, alert=message.cra is Cra.ALERT)
    assert tree["form"] != OCTETS
    assert from_tree(json.loads(json.dumps(tree))) == message.payload


@pytest.mark.parametrize("name", [name for name in rtds_names() if "_ALERT_" in name])
def test_an_alert_bears_the_code_of_its_name(name: str) -> None:
    code = alert_code_of(Message.decode(rtds_octets(name)))
    written = name.split("_NA_")[-1].split("_")[0] if "_8F66_" not in name else "8F66"
    expected = {"NA/CCS08": "8F8A", "NA": "8F8A", "ALERT": "8F8A"}.get(written, written)
    assert code is not None
    assert f"{code:04X}" == expected


def test_the_json_alone_gives_the_octets_back_in_another_process() -> None:
    names = rtds_names()
    vectors_dir()
    lines = [json.dumps(document.describe(Message.decode(rtds_octets(name)), name, None)) for name in names]
    done = subprocess.run(
        [sys.executable, "-c", _RESTORE], input="\n".join(lines), capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == [rtds_octets(name).hex() for name in names]


def test_eight_trees_keep_a_length_that_is_longer_than_necessary() -> None:
    vectors_dir()
    described = [json.dumps(to_tree(Message.decode(rtds_octets(name)).payload)) for name in rtds_names()]
    assert sum("length_octets" in tree for tree in described) == 8
