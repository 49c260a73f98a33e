// Resizing as kseg does it in training and prediction.
#pragma once

#include <vector>

#include "picture.h"

namespace kseg {

// Where the image lies in the network's input, in pixels of the input.
struct Placement {
  int top = 0, left = 0, height = 0, width = 0;
};

// Floats in rows, the channels of a pixel side by side.
struct Map {
  int height = 0, width = 0, channels = 0;
  std::vector<float> values;
  float& at(int row, int column, int channel) {
    return values[(std::size_t(row) * width + column) * channels + channel];
  }
  float at(int row, int column, int channel) const {
    return values[(std::size_t(row) * width + column) * channels + channel];
  }
};

// Find the place of an image: all of the input (resize_op 1), or centred in its own shape (2).
Placement place(int height, int width, int target_height, int target_width, int resize_op);

// Fit a picture into the input; the border of a letterbox is grey 128. Values are whole numbers.
Map fit(const Picture& picture, int height, int width, int resize_op);

// Cut the placed part out of a map and resize it bilinearly (half-pixel centres).
Map resize_back(const Map& map, const Placement& part, int height, int width);

}  // namespace kseg
