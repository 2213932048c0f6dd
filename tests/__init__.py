"""The tests. A package, so that a package of the same name among the installed packages does not come first."""
