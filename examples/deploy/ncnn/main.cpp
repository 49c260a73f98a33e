// Segment a picture with a model that `kseg export_ncnn` wrote.
#include <net.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "program.h"

namespace {

void check(int status, const std::string& what) {
  if (status != 0) throw std::runtime_error("ncnn cannot use " + what);
}

kseg::Run open_model(const std::string& param, const kseg::Description& about) {
  const auto net = std::make_shared<ncnn::Net>();
  net->opt.use_vulkan_compute = false;
  // Half precision is faster on ARM, and moves some edges.
  net->opt.use_fp16_packed = net->opt.use_fp16_storage = net->opt.use_fp16_arithmetic = false;
  net->opt.use_bf16_storage = false;
  check(net->load_param(param.c_str()), param);
  const std::string weights = param.substr(0, param.rfind('.')) + ".bin";
  check(net->load_model(weights.c_str()), weights);
  return [net, about](const std::vector<float>& input) {
    const std::size_t plane = std::size_t(about.height) * about.width;
    ncnn::Mat image(about.width, about.height, about.channels);
    // The planes of a matrix may begin at rounded addresses.
    for (int c = 0; c < about.channels; ++c) {
      const float* begin = input.data() + c * plane;
      std::copy(begin, begin + plane, static_cast<float*>(image.channel(c)));
    }
    ncnn::Extractor extractor = net->create_extractor();
    check(extractor.input(about.input.c_str(), image), "the input " + about.input);
    ncnn::Mat scores;
    check(extractor.extract(about.output.c_str(), scores), "the output " + about.output);
    std::vector<float> output;
    for (int c = 0; c < scores.c; ++c) {
      const float* begin = scores.channel(c);
      output.insert(output.end(), begin, begin + std::size_t(scores.w) * scores.h);
    }
    return output;
  };
}

}  // namespace

int main(int argc, char** argv) { return kseg::program(argc, argv, open_model); }
