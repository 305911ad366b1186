"""What is known of a source before its frames are read."""

from fractions import Fraction

from bgsub.video.frame import VideoInfo


def test_frames_to_expect_where_none_are_counted():
    def expected(**known):
        return VideoInfo(name="clip", width=8, height=8, codec="h264", **known).expected_frame_count

    assert expected(fps=Fraction(25), frame_count=7, duration=2.0) == 7
    assert expected(fps=Fraction(25), frame_count=None, duration=2.0) == 50
    assert expected(fps=None, frame_count=None, duration=2.0) is None
    assert expected(fps=Fraction(25), frame_count=None, duration=None) is None
