"""Commands that explain: profile, peaks, fit."""
