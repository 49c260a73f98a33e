// The JSON file beside an exported model: what the model takes and gives.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace kseg {

using Colour = std::array<std::uint8_t, 3>;

struct Description {
  std::string input;                     // name of the graph's input
  std::string output;                    // name of its output
  std::string kind;                      // "logits", "probabilities" or "labels"
  bool planes = true;                    // NCHW; otherwise NHWC
  bool bytes = false;                    // the input is uint8; otherwise float32
  int channels = 3;                      // 3 is RGB
  int height = 0, width = 0;             // size of the input
  int resize_op = 1;                     // 1 stretch, 2 letterbox
  std::vector<std::string> class_names;  // in the order of the labels
  std::vector<Colour> palette;           // colours of the classes
};

// Read MODEL.json. Throws std::runtime_error where it is missing or damaged.
Description read_description(const std::string& model_file);

}  // namespace kseg
