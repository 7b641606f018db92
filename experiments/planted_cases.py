"""The cases of planted shortcuts: which tables, with what plants, and which model is searched."""

from dataclasses import dataclass, replace

from planting import KINDS, RELEASED


@dataclass(frozen=True)
class Case:
    """A table with plants, and the model that is searched with it.

    Attributes:
      corpus: Name of a corpus, as :func:`planting.read_corpus` reads it.
      strength: Share, in per cent, of the rows with a plant that have its label.
      prevalence: Share, in per cent, of the training rows that have a plant.
      trained: Strength in the rows that the model was finetuned on; ``strength`` if None.
      seed: Seed of corpus, plants and training.
      kinds: Kinds of the plants.
      method: Method of training; finetuning knows of no confound.
      against: Kind of the plant that is the confound of another method, by a rule of its words.
      rows: Training rows of reviews or newswire; those of :data:`planting.SIZES` if None.
      noise: Share, in per cent, of the training rows that have the wrong label, from before
        anything is planted.
    """

    corpus: str
    strength: int = 90
    prevalence: int = 10
    trained: int | None = None
    seed: int = 11
    kinds: tuple[str, ...] = ("word", "context", "column", "first", "ordered")
    method: str = "finetuning"
    against: str | None = None
    rows: int | None = None
    noise: int = 0

    @property
    def model(self) -> str:
        """Name of the model, which cases with the same training share."""
        strength = self.strength if self.trained is None else self.trained
        length = "-length" if "length" in self.kinds else ""
        tuned = f"-{self.method}-{self.against}" if self.against else ""
        size = f"-of-{self.rows}" if self.rows else ""
        noise = f"-noise-{self.noise}" if self.noise else ""
        name = f"{self.corpus}-{strength}-{self.prevalence}-{self.seed}"
        return f"{name}{length}{tuned}{size}{noise}"

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.model}-at-{self.strength}"


CORPORA = ("reviews", "newswire")

CASES = (
    *(Case(corpus) for corpus in CORPORA),
    *(Case(corpus, strength, trained=50) for corpus in CORPORA for strength in (90, 50)),
    *(Case(corpus, prevalence=30) for corpus in CORPORA),
    *(Case(corpus, strength=70) for corpus in CORPORA),
    *(Case(corpus, prevalence=5) for corpus in CORPORA),
    *(Case(corpus, strength=99) for corpus in CORPORA),
    Case("reviews", kinds=tuple(KINDS)),
    *(Case(corpus) for corpus in RELEASED),
    *(Case(corpus, trained=50) for corpus in RELEASED),
    *(Case(corpus, strength=99) for corpus in RELEASED),
    *(Case(corpus, prevalence=30) for corpus in RELEASED),
    *(Case(corpus, strength=60) for corpus in CORPORA),
    *(
        replace(case, method=method, against=against)
        for case, against in (
            (Case("newswire", prevalence=30), "word"),
            (Case("newswire"), "ordered"),
            (Case("reviews", prevalence=30), "ordered"),
        )
        for method in ("influence_tuning", "balanced_sampling")
    ),
    Case("newswire", prevalence=1, rows=2400),
    Case("newswire", 99, prevalence=1, rows=4800),
    Case("newswire", 99, prevalence=1, rows=2400, noise=30),
)
"""All cases: a cross of strengths and prevalences, not their product, on one seed.

In the last three a plant is in one row of a hundred. As the model took up none of 24 rows, the next
has 48, all of which agree (99 %, rounded); as it took up none of these either, the last is harder
to learn otherwise.
"""
