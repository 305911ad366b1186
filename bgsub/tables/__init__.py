"""Tables of any size, of many formats, in and out, in blocks of rows, columns by name."""
