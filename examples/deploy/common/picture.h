// Picture files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kseg {

// Bytes in rows, the channels of a pixel side by side.
struct Picture {
  int height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> bytes;
};

// Read a JPEG, PNG or BMP file as RGB (channels 3) or grey (1). Throws std::runtime_error.
Picture read_picture(const std::string& path, int channels);

// Write a PNG file. Throws std::runtime_error.
void write_png(const std::string& path, const Picture& picture);

}  // namespace kseg
