import pytest

pytest.importorskip("starlette")

from tests.live.web.served import Served


@pytest.fixture
def serve(tmp_path):
    """Serves a page; the same values as of `Served`."""
    pages = []

    def call(**options):
        pages.append(Served(tmp_path, **options))
        return pages[-1]

    yield call
    for page in pages:
        page.close()


@pytest.fixture
def page(serve):
    return serve()
