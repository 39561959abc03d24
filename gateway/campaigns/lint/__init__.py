"""Named rules that any capture of a Zigbee network with OTA must keep: a run of ours or a lab's sniffer."""

from gateway.campaigns.lint.findings import RULES, Finding, LintSettings, Report
from gateway.campaigns.lint.lint import lint, lint_file

__all__ = ["RULES", "Finding", "LintSettings", "Report", "lint", "lint_file"]
