"""docs/reference/heads.md has each head as the code has it."""

from __future__ import annotations

from tests.docs.heads import PAGE, page


def test_the_page_of_heads_is_the_one_that_is_made_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.docs.heads > docs/reference/heads.md"
