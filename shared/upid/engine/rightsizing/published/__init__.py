"""The sizing rules that other projects publish, over columns: points that ours is measured against, never part of ours."""
