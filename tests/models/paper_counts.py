"""Parameter counts that papers or independent implementations state, to hold ours against.

One line per network: our name, the count, how ours is built to be comparable, and who says so.
"""

from typing import NamedTuple


class PaperCount(NamedTuple):
    name: str
    parameters: float
    num_classes: int
    options: dict
    source: str


PAPER_COUNTS = [
    PaperCount("deeplab_v3", 39_633_729, 21, {}, "torchvision, deeplabv3_resnet50 without its aux"),
    PaperCount("deeplab_v3", 42_004_074, 21, {"aux_heads": True}, "torchvision, with its aux"),
    PaperCount("deeplab_v3_plus", 2_758_597, 21, {}, "bubbliiiing/deeplabv3-plus-keras"),
    PaperCount("segnet_vgg16", 29.46e6, 12, {}, "SegNet in the ENet paper's table 3"),
    PaperCount("vgg_fcn8", 134e6, 21, {}, "FCN-VGG16 in the paper's table 1"),
    PaperCount(
        "bisenet_v2", 3_341_202, 2, {}, "the public PyTorch builds, without the auxiliary heads"
    ),
    PaperCount("ddrnet_23_slim", 5.7e6, 19, {}, "the paper's table, without the auxiliary head"),
    PaperCount("ddrnet_23", 20.1e6, 19, {}, "the paper's table, without the auxiliary head"),
    PaperCount("linknet", 11.5e6, 19, {}, "the paper's table"),
    PaperCount("manet", 31_783_778, 2, {}, "segmentation_models_pytorch 0.6.0, ResNet-34"),
    PaperCount("pan", 21_476_105, 2, {"encoder": "resnet34"}, "segmentation_models_pytorch 0.6.0"),
    PaperCount("pidnet_s", 7.6e6, 19, {}, "the paper's table, without the auxiliary heads"),
    PaperCount(
        "pidnet_m",
        34.4e6,
        19,
        {"depths": (2, 4)},
        "the paper's table; its figure and the authors' code have a block less in two stages",
    ),
    PaperCount("pidnet_l", 36.9e6, 19, {}, "the paper's table, without the auxiliary heads"),
    PaperCount("enet", 0.37e6, 19, {}, "the paper's table 3"),
    PaperCount("fc_densenet", 9.4e6, 11, {}, "the paper's table 3"),
    PaperCount("fc_densenet", 3.5e6, 11, {"depth": 67}, "the paper's table 3"),
    PaperCount(
        "plain_unet", 20_619_658, 2, {}, "dynamic-network-architectures 0.4.4, with aux heads"
    ),
    PaperCount("resenc_unet", 71_817_162, 2, {}, "dynamic-network-architectures 0.4.4, likewise"),
    PaperCount(
        "resunet", 8_227_393, 1, {}, "nikhilroxtomar/Semantic-Segmentation-Architecture, Keras"
    ),
    PaperCount("resunet++", 4_070_385, 1, {}, "DebeshJha/ResUNetPlusPlus, the authors' Keras code"),
    PaperCount("u2net", 44_009_869, 1, {}, "the authors' PyTorch code, its file of 176.3 MB"),
    PaperCount("u2netp", 1_131_181, 1, {}, "the authors' PyTorch code, its file of 4.7 MB"),
    PaperCount("unet3+", 26.97e6, 1, {}, "the paper's table 1"),
    PaperCount("deeplab_v2", 20.5e6, 21, {"rates": (12,)}, "LargeFOV of DeepLab, arXiv 1412.7062"),
    PaperCount("fpn", 28.5e6, 150, {}, "Semantic FPN of PVT, arXiv 2102.12122"),
    PaperCount(
        "fpn", 15.5e6, 150, {"encoder": "resnet18"}, "Semantic FPN of PVT, arXiv 2102.12122"
    ),
    PaperCount("hrnet", 28.5e6, 2, {}, "HRNet-W32 for poses, arXiv 1902.09212"),
    PaperCount("hrnet", 45.2e6, 19, {"width": 40, "head": "v2"}, "the paper"),
    PaperCount("hrnet", 65.8e6, 19, {"width": 48, "head": "v2"}, "the authors' README"),
    PaperCount("icnet", 26.7e6, 12, {"filters": 64}, "icnet-camvid-ava-0001 of Open Model Zoo"),
    PaperCount("pspnet", 46.7e6, 21, {"encoder": "resnet50"}, "pspnet_resnetd50b_voc of pytorchcv"),
    PaperCount("upernet", 60e6, 150, {"aux_heads": True}, "the ConvNeXt paper, arXiv 2201.03545"),
    PaperCount("segformer", 3.8e6, 150, {"size": "b0"}, "the paper's table 1, both parts"),
    PaperCount("segformer", 13.7e6, 150, {"size": "b1"}, "the paper's table 1, both parts"),
    PaperCount("segformer", 27.5e6, 150, {"size": "b2"}, "the paper's table 1, both parts"),
    PaperCount("segformer", 47.3e6, 150, {"size": "b3"}, "the paper's table 1, both parts"),
    PaperCount("segformer", 64.1e6, 150, {"size": "b4"}, "the paper's table 1, both parts"),
    PaperCount("segformer", 84.7e6, 150, {"size": "b5"}, "the paper's table 1, both parts"),
    PaperCount("segnext", 4.3e6, 150, {"size": "t"}, "the paper's ADE20K table"),
    PaperCount("segnext", 13.9e6, 150, {"size": "s"}, "the paper's ADE20K table"),
    PaperCount("segnext", 27.6e6, 150, {"size": "b"}, "the paper's ADE20K table"),
    PaperCount("segnext", 48.9e6, 150, {"size": "l"}, "the paper's ADE20K table"),
    PaperCount("transunet", 105.32e6, 2, {}, "table 1 of UNeXt, arXiv 2203.04967"),
    PaperCount("unet", 7.76e6, 1, {"variant": "paper"}, "U-Net in the paper of UNet++"),
    PaperCount("unet", 32_521_105, 1, {"encoder": "resnet50"}, "segmentation_models_pytorch 0.6.0"),
    PaperCount(
        "unet++", 48_985_745, 1, {"encoder": "resnet50"}, "segmentation_models_pytorch 0.6.0"
    ),
    PaperCount("unet++", 9.04e6, 1, {}, "the paper"),
    PaperCount(
        "attunet",
        34_878_573,
        1,
        {"filters": 64, "gate_channels": 1, "gate_ratio": 2},
        "AttU_Net of LeeJunHyun/Image_Segmentation",
    ),
    PaperCount(
        "r2unet", 39_091_393, 1, {"filters": 64}, "R2U_Net of LeeJunHyun/Image_Segmentation"
    ),
    PaperCount(
        "r2attunet",
        39_442_925,
        1,
        {"filters": 64, "recurrent_decoder": True, "gate_channels": 1, "gate_ratio": 2},
        "R2AttU_Net of LeeJunHyun/Image_Segmentation",
    ),
]
