"""Replays a labelled data set as if annotators worked through it: does choosing pay?"""
