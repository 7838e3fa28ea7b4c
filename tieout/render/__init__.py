"""Answers as tables for people: aligned, with thousands separators and currency codes, in the reader's language.

Functions take answers and ``Texts`` and give ``rich`` tables; nothing here reads a store or prints. Codes, ids and
ISO dates stay what they are in every language.
"""
