"""Layers alone, in other settings: what would another layout or another precision give each of them?"""
