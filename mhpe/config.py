"""The core's configuration: everything that is fixed while samplers are compared."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from mhpe.validation import Section

LARGEST_STEP = 2**30
"""Pixels that a step may encode: with three channels as float32 these alone are 12 GiB, a network's activations tens
of times that."""


class EncoderConfig(Section):
    """The encoder, or a torchvision backbone in its place."""

    m: int = Field(128, ge=1, le=65_536)  # rows of the triple vector
    # channels of the convolution blocks
    widths: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field((32, 64, 128), min_length=1, max_length=10)
    patch: int = Field(4, ge=0, le=256)  # side of the first block's patches; 0 for a 3x3 convolution with stride 2
    attention: Literal["mcbam", "cbam", "none"] = "mcbam"  # after each block
    backbone: str | None = None  # name of a torchvision classification model that replaces the blocks
    backbone_weights: str | None = None  # file with the backbone's weights; random ones without it

    @model_validator(mode="after")
    def _weights_have_a_backbone(self) -> "EncoderConfig":
        if self.backbone_weights is not None and self.backbone is None:
            raise ValueError("backbone_weights needs backbone, the name of the network they are of")
        return self


class LossWeights(Section):
    """Weights of the five losses, in the slides' order (equation 9)."""

    vector: float = Field(1.0, ge=0, le=1e6)  # alpha, equation 4
    vector_ortho: float = Field(0.1, ge=0, le=1e6)  # beta, equation 5
    dist: float = Field(1.0, ge=0, le=1e6)  # gamma, equation 8
    nll: float = Field(0.02, ge=0, le=1e6)  # eta, equation 7
    feat_ortho: float = Field(0.1, ge=0, le=1e6)  # mu, equation 6


class AugmentationConfig(Section):
    """Augmentation of training images."""

    flip: float = Field(0.5, ge=0, le=1)  # probability that an image is mirrored in an epoch, its label with it
    scale: float = Field(0.12, ge=0, lt=0.5)  # largest change of scale, as a share of the side
    shift: float = Field(0.06, ge=0, lt=0.5)  # largest shift, as a share of the side
    colour: float = Field(0.3, ge=0, lt=1)  # largest relative change of brightness, contrast and saturation
    blur: float = Field(0.2, ge=0, le=1)  # probability of a slight Gaussian blur
    groups: int = Field(16, ge=1, le=65_536)  # sets of parameters drawn for a step; each image takes one at random
    photographic: float = Field(0.0, ge=0, le=2)  # strength of mhpe.train.photographic, parameters for each image


class ScheduleConfig(Section):
    """Learning rate over the epochs.

    ``step`` multiplies the rate by 0.1 at the milestones, as the slides do; ``one_cycle`` warms up over the first
    quarter and anneals to zero, which a training of few epochs needs.
    """

    kind: Literal["step", "one_cycle"] = "one_cycle"
    milestones: tuple[PositiveInt, ...] = Field((), max_length=100)  # epochs of the steps


class CoreConfig(Section):
    """MHPE and its training.

    Attributes:
        head: what makes rotations of the encoder's triple vectors. ``mhpe`` is the method; the others are the plain
            regressors that it is compared with (:mod:`mhpe.model.baselines`).
        init: first weights: ``random``, or those of the network that comes with the package
            (:mod:`mhpe.train.warm_start`).
        image_size: side of the input image in pixels.
        inputs: ``shuffled`` shows every image once an epoch; ``inverse_density`` draws the epoch's inputs with
            replacement, with weights that are the inverse density of their poses.
        k: references per input. With 0 there are none, and the sampler is not asked.
        references: ``exact`` encodes each distinct reference of a batch; ``pool`` draws a pool of training
            images per batch, encodes it once, and lets each input choose its K from it; ``batch`` takes the batch's
            own inputs as the pool, which needs no further encoding. A pool changes which references an input can get.
        pool_size: images in the pool.
        reference_weight: weight of the references' single-image losses. The loss of single images is the mean over
            the inputs plus this times the mean over their references; 0 leaves references the metric loss alone.
        metric_loss: what compares an input with its references: ``distance`` is equation 8, the others replace
            it (:mod:`mhpe.model.losses`).
        noise_c: c of the distance noise (equation 2), which equation 8 alone has.
        vector_error: ``squared`` errors of the three columns as in equation 4, or their ``absolute`` lengths.
        nll_factor: of the log-normaliser in the likelihood; 1.05 keeps concentrations from overfitting (Mohlin et al.
            2020).
        concentration_input: whether CM reads the triple vector (``normalised``) or the features before their
            columns have unit length (``raw``).
        separate_scme: whether references have an SCME of their own, not the inputs'.
        batch_size: inputs per step.
        epochs: passes over the training set.
        learning_rate: Adam's (largest) rate.
        weight_decay: Adam's L2 penalty.
        average: ``ema`` scores an exponential moving average of the weights over the steps, not the last weights.
        average_decay: of that average for one step.
        precision: of the encoder; losses and rotations are always float32. ``auto`` is bfloat16 where the
            processor computes with it.
    """

    head: Literal["mhpe", "six_d", "euler", "bins", "matrix_fisher", "rotation_laplace"] = "mhpe"
    init: Literal["random", "synthheads"] = "random"
    image_size: int = Field(64, ge=16, le=1024)
    inputs: Literal["shuffled", "inverse_density"] = "shuffled"
    k: int = Field(8, ge=0, le=10_000)
    references: Literal["exact", "pool", "batch"] = "exact"
    pool_size: int = Field(200, ge=1, le=1_000_000)
    reference_weight: float = Field(1.0, ge=0, le=1000)
    metric_loss: Literal["distance", "log_ratio", "rank_n_contrast"] = "distance"
    noise_c: float = Field(0.1, ge=0, lt=1)
    vector_error: Literal["squared", "absolute"] = "absolute"
    nll_factor: float = Field(1.0, gt=0, le=1000)
    concentration_input: Literal["normalised", "raw"] = "normalised"
    separate_scme: bool = False
    batch_size: int = Field(16, ge=2, le=1_000_000)
    epochs: int = Field(8, ge=1, le=10_000)
    learning_rate: float = Field(2.5e-3, gt=0)
    weight_decay: float = Field(1e-6, ge=0, le=1000)
    average: Literal["none", "ema"] = "none"
    average_decay: float = Field(0.997, gt=0, lt=1)
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    schedule: ScheduleConfig = ScheduleConfig()
    encoder: EncoderConfig = EncoderConfig()
    losses: LossWeights = LossWeights()
    augmentation: AugmentationConfig = AugmentationConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> "CoreConfig":
        if self.references == "pool" and self.pool_size <= self.k:
            raise ValueError(f"pool_size must be above k = {self.k}, not {self.pool_size}")
        if self.references == "batch" and self.batch_size <= self.k:
            raise ValueError(f"batch_size must be above k = {self.k} for references: batch, not {self.batch_size}")
        if self.metric_loss != "distance" and self.k == 1:
            raise ValueError(f"metric_loss {self.metric_loss} compares references with each other: k must be above 1")
        if self.init == "synthheads" and self.encoder.backbone is not None:
            raise ValueError("init: synthheads has no weights for a backbone; remove encoder.backbone")
        further = {"exact": self.batch_size * self.k, "pool": self.pool_size if self.k else 0, "batch": 0}
        images = self.batch_size + further[self.references]
        if images * self.image_size**2 > LARGEST_STEP:
            raise ValueError(
                f"a step of up to {images:,} images of {self.image_size} x {self.image_size} pixels fits no machine's "
                "memory; make batch_size, k, pool_size or image_size smaller"
            )
        return self

    @property
    def reference_losses(self) -> bool:
        """Whether references have the losses of single images."""
        return self.k > 0 and self.reference_weight > 0

    def used(self) -> dict[str, Any]:
        """The fields that a training depends on, as plain data: what the other choices leave unused is left out.

        The path of ``backbone_weights`` is left out, too: a trial's identity holds the file's content.
        """
        values = self.model_dump(mode="json")
        del values["encoder"]["backbone_weights"]
        for name in ("backbone",) if self.encoder.backbone is None else ("widths", "patch", "attention"):
            del values["encoder"][name]
        if not self.augmentation.photographic:
            del values["augmentation"]["photographic"]
        if self.schedule.kind != "step":
            del values["schedule"]["milestones"]
        mhpe, w = self.head == "mhpe", self.losses
        metric = mhpe and self.k > 0 and w.dist > 0
        needs = {
            "references": self.k > 0,
            "pool_size": self.k > 0 and self.references == "pool",
            "reference_weight": self.k > 0,
            "metric_loss": metric,
            "noise_c": metric and self.metric_loss == "distance",
            "vector_error": mhpe and w.vector > 0,
            "nll_factor": self.head == "matrix_fisher" or (mhpe and w.nll > 0),
            "concentration_input": mhpe,
            "separate_scme": mhpe and self.reference_losses,
            "average_decay": self.average != "none",
            "losses": mhpe,
        }
        if self.k == 0:
            del values["losses"]["dist"]
        return {name: value for name, value in values.items() if needs.get(name, True)}


SLIDES: dict[str, Any] = {
    "head": "mhpe",
    "init": "random",
    "inputs": "shuffled",
    "reference_weight": 1.0,
    "metric_loss": "distance",
    "noise_c": 0.1,
    "vector_error": "squared",
    "nll_factor": 1.0,
    "concentration_input": "normalised",
    "separate_scme": False,
    "weight_decay": 1e-6,
    "average": "none",
    "losses": {"vector": 1.0, "vector_ortho": 0.1, "dist": 1.0, "nll": 0.2, "feat_ortho": 0.1},
}
"""All five terms as the slides write them, corrected where they cannot be meant. Presets choose the sizes."""

CORES = {"slides": SLIDES, "default": {name: CoreConfig().model_dump()[name] for name in SLIDES}}
"""Cores that a study can name. The default is what the fields of :class:`CoreConfig` say."""
