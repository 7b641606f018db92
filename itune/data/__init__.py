"""Tokenised data as arrays: data sets, confound access, and samples of them."""
