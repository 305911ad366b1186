"""OpenCV's background subtractor: its masks to the pixel, at several times its speed."""
