"""Every picture that is not a frame: curves, contact sheets, HTML reports. Matplotlib is imported where it draws."""
