#!/bin/sh
# Builds ncnn's C++ library from the sources that its Python package is published with.
#   build_ncnn.sh FOLDER         into FOLDER, for the CPU
#   build_ncnn.sh FOLDER quick   in a minute: slow code for any processor, and few kinds of layers
# Needs Python with pip and setuptools (PYTHON), cmake and a C++ compiler. NCNN_VERSION chooses the
# version.
set -eu
folder=$1
kind=${2:-full}
python=${PYTHON:-python3}
version=${NCNN_VERSION:-1.0.20261020}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The sources name their version after the day, and pip refuses another than it asked for.
cat > "$work/sitecustomize.py" <<END
import time
ask = time.strftime
time.strftime = lambda text, *when: "${version##*.}" if text == "%Y%m%d" else ask(text, *when)
END
PYTHONPATH="$work" "$python" -m pip download --quiet --no-deps --no-build-isolation \
  --no-binary ncnn --dest "$work" "ncnn==$version"
tar -xzf "$work"/ncnn-*.tar.gz -C "$work"
source="$work/ncnn-$version"

set -- -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$folder" -DNCNN_VERSION="${version##*.}" \
  -DNCNN_VULKAN=OFF -DNCNN_PYTHON=OFF -DNCNN_BUILD_TOOLS=OFF -DNCNN_BUILD_EXAMPLES=OFF \
  -DNCNN_BUILD_BENCHMARK=OFF
if [ "$kind" = quick ]; then
  # Under another processor's name nothing is compiled for this one's vector units.
  set -- "$@" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=s390x -DNCNN_RUNTIME_CPU=OFF \
    -DNCNN_INT8=OFF -DNCNN_BF16=OFF
  kept=" absval batchnorm bias binaryop cast clip concat convolution convolutiondepthwise crop
    deconvolution deconvolutiondepthwise eltwise expanddims flatten gelu gemm hardsigmoid hardswish
    innerproduct input interp layernorm matmul memorydata noop packing padding permute pooling prelu
    reduction relu reshape scale sigmoid slice softmax split squeeze swish tanh tile unaryop "
  for layer in $(sed -n 's/^ncnn_add_layer(\([A-Za-z0-9]*\).*/\1/p' "$source/src/CMakeLists.txt" |
    tr '[:upper:]' '[:lower:]'); do
    case $(echo $kept) in
      "$layer "* | *" $layer "* | *" $layer") ;;
      *) set -- "$@" "-DWITH_LAYER_$layer=OFF" ;;
    esac
  done
fi
cmake -S "$source" -B "$work/build" "$@"
cmake --build "$work/build" --target install -j "$(getconf _NPROCESSORS_ONLN)"
