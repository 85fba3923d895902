"""For those who build claimscan: reading our corpus, typesetting it and measuring against it.

The package is imported by nothing that runs for a user.
"""
