// The program around a runtime: picture file in, label map and overlay out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "description.h"

namespace kseg {

// From the input, one image in the order of axes that the model takes, to its output; labels and
// all else as floats. Inputs of bytes hold whole numbers.
using Run = std::function<std::vector<float>(const std::vector<float>& input)>;

// Opens a model file on a runtime.
using Open = std::function<Run(const std::string& model_file, const Description& description)>;

// Be the main function of `NAME MODEL IMAGE OVERLAY.png [LABELS.png]`. Returns the exit status.
int program(int argc, char** argv, const Open& open);

}  // namespace kseg
