"""Everything fuzzing has found, and the corpus that reaches the most, is borne by the codecs for ever."""

from __future__ import annotations

from random import Random

import pytest

from tests.laws import corpus
from tests.laws.ordeal import bear
from tests.laws.transcripts import Transcript
from wiretape.protocols import CODECS, codec

FINDINGS = [(name, one) for name in CODECS for one in corpus.findings(name)]


@pytest.mark.parametrize(("name", "found"), FINDINGS, ids=[f"{name}-{one.name}" for name, one in FINDINGS])
def test_what_fuzzing_found_is_borne(name: str, found: Transcript) -> None:
    for seed in range(12):
        bear(codec(name), found.chunks, split=Random(seed))
    bear(codec(name), found.chunks, measured=True)


@pytest.mark.parametrize("name", list(CODECS))
def test_the_corpus_is_borne(name: str) -> None:
    assert (corpus.FOLDER / name / corpus.CORPUS).exists(), f"no corpus: python tests/laws/fuzz.py {name}"
    for number, one in enumerate(corpus.corpus(name)):
        bear(codec(name), one.chunks, split=Random(number))
    assert (corpus.FOLDER / name / corpus.CORPUS).stat().st_size < 200_000


def test_findings_belong_to_codecs() -> None:
    assert {path.name for path in corpus.FOLDER.iterdir()} <= set(CODECS)
