"""What docs/losses.md says about each loss."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A loss in the table.

    Attributes:
        kind: What it looks at, one of `KINDS`.
        formula: In plain text.
        paper: Short names and arXiv ids, comma-separated.
        use: When to choose it.
    """

    kind: str
    formula: str
    paper: str
    use: str


KINDS = {
    "pixels": "each pixel by itself",
    "regions": "the overlap of regions",
    "shape": "lines and distances",
    "sum": "a sum of two",
}
ENTRIES = {
    "ce": Entry(
        "pixels",
        "mean of `-log p`",
        "",
        "first choice where no class is rare; the safest start of a training",
    ),
    "weighted_ce": Entry(
        "pixels",
        "`sum(w * -log p) / sum(w)`, `w` the weight of the true class",
        "",
        "classes of very different size; take the weights from the data set",
    ),
    "edge_weighted_ce": Entry(
        "pixels",
        "`sum(w * -log p) / sum(w)`, `w` from a map",
        "U-Net 2015 1505.04597",
        "touching objects that must stay apart, such as cells",
    ),
    "ohem_ce": Entry(
        "pixels",
        "mean of `-log p` over the pixels with `p < threshold`, at least the hardest `min_kept`",
        "OHEM 2016 1604.03540, BiSeNet 2018 1808.00897",
        "street scenes and other images that are mostly easy",
    ),
    "c_focal": Entry(
        "pixels",
        "mean of `alpha_c * (1 - p)^gamma * -log p`",
        "Lin et al. 2017 1708.02002",
        "many easy pixels and no wish to throw them away as `ohem_ce` does",
    ),
    "bce": Entry(
        "pixels",
        "mean over pixels and channels of `-log p` (own class), `-log(1 - p)` (other classes)",
        "",
        "one sigmoid channel; or several, each against the rest",
    ),
    "b_focal": Entry(
        "pixels",
        "mean over pixels and channels of `a * (1 - p)^gamma * -log p`, "
        "`a` = `alpha` for yes, `1 - alpha` for no",
        "Lin et al. 2017 1708.02002",
        "as `c_focal`, for sigmoid channels; `alpha` above 0.5 favours the foreground",
    ),
    "dice": Entry(
        "regions",
        "`1 - (2 TP + s) / (2 TP + FP + FN + s)`",
        "V-Net 2016 1606.04797",
        "small objects on a large background, few classes",
    ),
    "jaccard": Entry(
        "regions",
        "`1 - (TP + s) / (TP + FP + FN + s)`",
        "Rahman & Wang 2016",
        "as `dice`, when the IoU is what counts; stricter with half-right masks",
    ),
    "tversky": Entry(
        "regions",
        "`1 - (TP + s) / (TP + alpha FP + beta FN + s)`",
        "Salehi et al. 2017 1706.05721",
        "missing an object is worse than marking too much (or, exchanged, the other way round)",
    ),
    "f_tversky": Entry(
        "regions",
        "`(1 - TI)^gamma`, `TI` the Tversky index",
        "Abraham & Khan 2018 1810.07842",
        "small lesions; goes on pulling at classes that are nearly right",
    ),
    "g_dice": Entry(
        "regions",
        "`1 - 2 sum(w TP) / sum(w (2 TP + FP + FN))`, `w = 1 / Y^2`, "
        "`Y` the truth pixels of the class",
        "Sudre et al. 2017 1707.03237",
        "classes of very different size in one value; noisy where the rarest has few pixels",
    ),
    "lovasz": Entry(
        "regions",
        "Lovász extension of `1 - IoU`",
        "Berman et al. 2018 1705.08790",
        "the last per cent of IoU, after or beside `ce`",
    ),
    "mcc": Entry(
        "regions",
        "`1 - MCC` of the soft counts",
        "Abhishek & Hamarneh 2021 2010.13454",
        "the true negatives should count too",
    ),
    "cl_dice": Entry(
        "shape",
        "`(1 - alpha) Dice loss + alpha (1 - clDice)`",
        "Shit et al. 2021 2003.07311",
        "vessels, roads, cracks: what must stay connected",
    ),
    "boundary": Entry(
        "shape",
        "mean of `d * abs(y - p)`, `d` the distance to the boundary of the truth",
        "Kervadec et al. 2019 1812.07032",
        "beside a loss of overlap, when stray pixels far away must go",
    ),
    "hausdorff": Entry(
        "shape",
        "mean of `(y - p)^2 (d_y^alpha + d_p^alpha)`, distances to both boundaries",
        "Karimi & Salcudean 2019 1904.10030",
        "beside a loss of overlap, when the Hausdorff distance is what counts",
    ),
    "ce_dice": Entry(
        "sum", "`ce + dice`", "", "a good default: steady like `ce`, and small objects count"
    ),
    "bce_dice": Entry("sum", "`bce + dice`", "", "the same for a sigmoid channel"),
    "edge_weighted_ce_dice": Entry(
        "sum", "`edge_weighted_ce + dice`", "", "few images of touching cells; see docs/medical.md"
    ),
    "ce_jaccard": Entry("sum", "`ce + jaccard`", "", "as `ce_dice`, nearer to the IoU"),
    "bce_jaccard": Entry("sum", "`bce + jaccard`", "", "the same for a sigmoid channel"),
    "unified_focal": Entry(
        "sum",
        "`weight` of a focal loss over pixels `+ (1 - weight)` of a focal Tversky loss",
        "Yeung et al. 2022 2102.04525",
        "a rare foreground; one setting for both halves",
    ),
}
