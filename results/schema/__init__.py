"""The classes of a run file, and the axes, labels, metrics and units that their fields use."""
