#include "program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "picture.h"
#include "resize.h"

namespace kseg {
namespace {

constexpr float kLeastProbability = 1e-30f;
constexpr double kBlend = 0.5;

std::vector<float> to_input(const Map& image, bool planes) {
  if (!planes) return image.values;
  std::vector<float> input;
  input.reserve(image.values.size());
  for (int c = 0; c < image.channels; ++c)
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) input.push_back(image.at(y, x, c));
  return input;
}

// A score per class that grows with its probability and may be interpolated: a logit.
float as_logit(float value, const std::string& kind) {
  return kind == "logits" ? value : std::log(std::max(value, kLeastProbability));
}

// From the output of the graph to a map of logits of at least two classes.
Map to_logits(const std::vector<float>& output, const Description& about) {
  const std::size_t pixels = std::size_t(about.height) * about.width;
  const bool labels = about.kind == "labels";
  const std::size_t planes = output.size() / pixels;
  const int classes = std::max<int>(2, int(labels ? about.class_names.size() : planes));
  if (planes * pixels != output.size() || (labels && planes != 1))
    throw std::runtime_error("the output has another size than the description says");
  Map map{about.height, about.width, classes, std::vector<float>(pixels * classes)};
  for (std::size_t p = 0; p < pixels; ++p) {
    float* scores = &map.values[p * classes];
    if (labels) {
      std::fill(scores, scores + classes, std::log(kLeastProbability));
      scores[std::clamp(int(output[p]), 0, classes - 1)] = 0;
    } else if (planes == 1) {
      const bool logit = about.kind == "logits";
      scores[1] = as_logit(output[p], about.kind);
      scores[0] = logit ? 0 : as_logit(1 - output[p], about.kind);
    } else {
      for (int c = 0; c < classes; ++c)
        scores[c] = as_logit(about.planes ? output[c * pixels + p] : output[p * classes + c],
                             about.kind);
    }
  }
  return map;
}

Picture best_classes(const Map& logits) {
  Picture labels{logits.height, logits.width, 1, {}};
  for (auto pixel = logits.values.begin(); pixel != logits.values.end(); pixel += logits.channels)
    labels.bytes.push_back(
        std::uint8_t(std::max_element(pixel, pixel + logits.channels) - pixel));
  return labels;
}

Picture overlay(const Picture& image, const Picture& labels, const std::vector<Colour>& palette) {
  Picture mixed{image.height, image.width, 3, {}};
  for (std::size_t p = 0; p < labels.bytes.size(); ++p) {
    const std::uint8_t label = labels.bytes[p];
    for (int c = 0; c < 3; ++c) {
      const double value = image.bytes[p * image.channels + (image.channels == 3 ? c : 0)];
      // Class 0, the background, stays as it is.
      const double shown = label == 0 || label >= palette.size()
                               ? value
                               : (1 - kBlend) * value + kBlend * palette[label][c];
      mixed.bytes.push_back(std::uint8_t(std::nearbyint(shown)));
    }
  }
  return mixed;
}

void print_classes(const Picture& labels, const std::vector<std::string>& names) {
  for (std::size_t label = 0; label < names.size(); ++label) {
    const auto count = std::count(labels.bytes.begin(), labels.bytes.end(), std::uint8_t(label));
    std::printf("%-20s %6.2f %%\n", names[label].c_str(), 100.0 * count / labels.bytes.size());
  }
}

void segment(int argc, char** argv, const Open& open) {
  const Description about = read_description(argv[1]);
  if (about.channels != 1 && about.channels != 3)
    throw std::runtime_error("this program reads pictures of 1 or 3 channels");
  const Picture image = read_picture(argv[2], about.channels);
  const Run run = open(argv[1], about);
  const auto input =
      to_input(fit(image, about.height, about.width, about.resize_op), about.planes);
  const auto start = std::chrono::steady_clock::now();
  const auto output = run(input);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  const auto part =
      place(image.height, image.width, about.height, about.width, about.resize_op);
  const Picture labels =
      best_classes(resize_back(to_logits(output, about), part, image.height, image.width));
  std::printf("network: %.1f ms\n", time.count());
  print_classes(labels, about.class_names);
  write_png(argv[3], overlay(image, labels, about.palette));
  if (argc > 4) write_png(argv[4], labels);
}

}  // namespace

int program(int argc, char** argv, const Open& open) {
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: %s MODEL IMAGE OVERLAY.png [LABELS.png]\n", argv[0]);
    return 2;
  }
  try {
    segment(argc, argv, open);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace kseg
