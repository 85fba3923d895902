"""Commands that are too large for :mod:`claimscan.cli`, a module each. Nothing heavy is imported until one is run."""
