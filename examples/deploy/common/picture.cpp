#include "picture.h"

#include <stdexcept>

#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace kseg {

Picture read_picture(const std::string& path, int channels) {
  Picture picture;
  picture.channels = channels;
  int in_file = 0;
  std::uint8_t* bytes =
      stbi_load(path.c_str(), &picture.width, &picture.height, &in_file, channels);
  if (!bytes) throw std::runtime_error(path + ": " + stbi_failure_reason());
  const std::size_t pixels = std::size_t(picture.width) * picture.height;
  picture.bytes.assign(bytes, bytes + pixels * channels);
  stbi_image_free(bytes);
  return picture;
}

void write_png(const std::string& path, const Picture& picture) {
  const int row = picture.width * picture.channels;
  if (!stbi_write_png(path.c_str(), picture.width, picture.height, picture.channels,
                      picture.bytes.data(), row)) {
    throw std::runtime_error(path + ": cannot be written");
  }
}

}  // namespace kseg
