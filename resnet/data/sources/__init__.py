"""Where data sets come from: a module each, with a function from a `Request` to its `Content`."""
