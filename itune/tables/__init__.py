"""Tables of texts, labels and confounds: files, objects and data sets read into one shape."""
