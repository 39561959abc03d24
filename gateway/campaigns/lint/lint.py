"""One capture put to all rules."""

from collections.abc import Iterable
from pathlib import Path

from gateway.campaigns.evidence.capture import CaptureEvidence, dissect, read_capture
from gateway.campaigns.lint.findings import LintSettings, Report
from gateway.campaigns.lint.frames import FrameRules
from gateway.campaigns.lint.ota import check_blocks, check_ends
from protocols.pcapng import CapturedFrame, CaptureKey

_SHARED = LintSettings()


def lint(frames: Iterable[CapturedFrame], keys: Iterable[CaptureKey], settings: LintSettings = _SHARED) -> Report:
    """Put the frames of a capture to the rules."""
    report = Report()
    rules = FrameRules(report, settings)
    return _conclude(dissect(frames, keys, rules), rules, report, settings)


def lint_file(capture: Path, keys: Path, settings: LintSettings = _SHARED) -> Report:
    """Put a capture file, pcapng or classic, to the rules; InputError, in one line, if a file cannot be read."""
    report = Report()
    rules = FrameRules(report, settings)
    return _conclude(read_capture(capture, keys, rules), rules, report, settings)


def _conclude(seen: CaptureEvidence, rules: FrameRules, report: Report, settings: LintSettings) -> Report:
    report.frames = seen.frames
    report.checked["fcs"] += seen.frames
    bad = {defect.frame for defect in seen.defects if defect.kind == "fcs"}
    for rule in ("undecrypted", "unprotected"):
        report.checked[rule] += seen.protected
    report.checked["malformed"] += seen.frames - len(bad)
    for defect in seen.defects:
        report.check(defect.kind, False, (defect.frame,), f"{defect.network}: {defect.reason}")
    rules.finish()
    check_blocks(seen.ota, report, settings)
    check_ends(seen, report)
    return report
