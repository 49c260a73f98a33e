#include "resize.h"

#include <algorithm>
#include <cmath>

namespace kseg {
namespace {

constexpr float kBorderGrey = 128;

// The share that source pixels from `first` on have in one pixel of the result.
struct Share {
  int first = 0;
  std::vector<float> weights;
};

// Between the two nearest pixels, by the distance of the centres.
Share linear_share(int index, int from, int to) {
  const float position = (index + 0.5f) * (float(from) / to) - 0.5f;
  const int first = int(std::floor(position));
  if (first < 0) return {0, {1.0f}};
  if (first >= from - 1) return {from - 1, {1.0f}};
  return {first, {1 - (position - first), position - first}};
}

// The mean of what the pixel covers.
Share area_share(int index, int from, int to) {
  const double scale = double(from) / to, start = index * scale, end = start + scale;
  const int first = int(std::floor(start + 1e-6)), last = int(std::ceil(end - 1e-6));
  Share share{first, {}};
  for (int pixel = first; pixel < std::min(last, from); ++pixel) {
    const double covered = std::min(end, pixel + 1.0) - std::max(start, double(pixel));
    share.weights.push_back(float(covered / scale));
  }
  return share;
}

std::vector<Share> shares(int from, int to, bool area) {
  std::vector<Share> found;
  for (int index = 0; index < to; ++index) {
    found.push_back(area ? area_share(index, from, to) : linear_share(index, from, to));
  }
  return found;
}

Map resized(const Map& map, int height, int width, bool area) {
  const auto columns = shares(map.width, width, area), rows = shares(map.height, height, area);
  Map narrow{map.height, width, map.channels, {}};
  narrow.values.resize(std::size_t(map.height) * width * map.channels);
  for (int y = 0; y < map.height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < map.channels; ++c)
        for (std::size_t k = 0; k < columns[x].weights.size(); ++k)
          narrow.at(y, x, c) += columns[x].weights[k] * map.at(y, columns[x].first + int(k), c);
  Map result{height, width, map.channels, {}};
  result.values.resize(std::size_t(height) * width * map.channels);
  for (int y = 0; y < height; ++y)
    for (std::size_t k = 0; k < rows[y].weights.size(); ++k)
      for (int x = 0; x < width; ++x)
        for (int c = 0; c < map.channels; ++c)
          result.at(y, x, c) += rows[y].weights[k] * narrow.at(rows[y].first + int(k), x, c);
  return result;
}

// OpenCV's bilinear resizing of bytes, which works with weights of 11 bits: what networks were
// trained on. The result is a map of whole numbers.
Map resized_bytes(const Map& map, int height, int width) {
  const auto columns = shares(map.width, width, false), rows = shares(map.height, height, false);
  const auto fixed = [](float weight) { return int(std::nearbyint(weight * 2048)); };
  std::vector<int> narrow(std::size_t(map.height) * width * map.channels);
  const std::size_t row = std::size_t(width) * map.channels;
  for (int y = 0; y < map.height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < map.channels; ++c)
        for (std::size_t k = 0; k < columns[x].weights.size(); ++k)
          narrow[y * row + x * map.channels + c] +=
              fixed(columns[x].weights[k]) * int(map.at(y, columns[x].first + int(k), c));
  Map result{height, width, map.channels, {}};
  for (int y = 0; y < height; ++y)
    for (std::size_t index = 0; index < row; ++index) {
      int sum = 2;
      for (std::size_t k = 0; k < rows[y].weights.size(); ++k)
        sum += (fixed(rows[y].weights[k]) * (narrow[(rows[y].first + k) * row + index] >> 4)) >> 16;
      result.values.push_back(float(sum >> 2));
    }
  return result;
}

// Bilinear shrinking by more than 1.5 would skip pixels; exactly 2 is a mean all the same.
bool skips(int from, int to) { return 2 * from > 3 * to && from != 2 * to; }

}  // namespace

Placement place(int height, int width, int target_height, int target_width, int resize_op) {
  if (resize_op == 1) return {0, 0, target_height, target_width};
  const double scale = std::min(double(target_height) / height, double(target_width) / width);
  Placement place;
  place.height = std::clamp(int(std::nearbyint(height * scale)), 1, target_height);
  place.width = std::clamp(int(std::nearbyint(width * scale)), 1, target_width);
  place.top = (target_height - place.height) / 2;
  place.left = (target_width - place.width) / 2;
  return place;
}

Map fit(const Picture& picture, int height, int width, int resize_op) {
  const auto part = place(picture.height, picture.width, height, width, resize_op);
  Map image{picture.height, picture.width, picture.channels, {}};
  image.values.assign(picture.bytes.begin(), picture.bytes.end());
  if (part.height != image.height || part.width != image.width) {
    const bool area = skips(image.height, part.height) || skips(image.width, part.width);
    if (area) {
      const int least_height = std::min(image.height, part.height);
      image = resized(image, least_height, std::min(image.width, part.width), true);
      for (float& value : image.values) value = std::nearbyint(value);
    }
    // Without areas, or the side that grows where the other one has shrunk.
    if (part.height != image.height || part.width != image.width) {
      image = resized_bytes(image, part.height, part.width);
    }
  }
  Map input{height, width, image.channels, {}};
  input.values.assign(std::size_t(height) * width * image.channels, kBorderGrey);
  for (int y = 0; y < part.height; ++y)
    for (int x = 0; x < part.width; ++x)
      for (int c = 0; c < image.channels; ++c)
        input.at(part.top + y, part.left + x, c) = image.at(y, x, c);
  return input;
}

Map resize_back(const Map& map, const Placement& part, int height, int width) {
  Map inner{part.height, part.width, map.channels, {}};
  inner.values.resize(std::size_t(part.height) * part.width * map.channels);
  for (int y = 0; y < part.height; ++y)
    for (int x = 0; x < part.width; ++x)
      for (int c = 0; c < map.channels; ++c)
        inner.at(y, x, c) = map.at(part.top + y, part.left + x, c);
  if (part.height == height && part.width == width) return inner;
  return resized(inner, height, width, false);
}

}  // namespace kseg
