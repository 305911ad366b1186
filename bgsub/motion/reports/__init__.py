"""Reports of a scan, one file a format; `writing.write_report` chooses by the extension."""
