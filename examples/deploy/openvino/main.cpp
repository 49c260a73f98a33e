// Segment a picture with a model that `kseg export_openvino` wrote.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <openvino/openvino.hpp>
#include <vector>

#include "program.h"

namespace {

std::vector<float> as_floats(const ov::Tensor& tensor) {
  if (tensor.get_element_type() == ov::element::u8) {
    const auto* first = tensor.data<std::uint8_t>();
    return {first, first + tensor.get_size()};
  }
  const auto* first = tensor.data<float>();
  return {first, first + tensor.get_size()};
}

kseg::Run open_model(const std::string& file, const kseg::Description& about) {
  ov::Core core;
  // By itself OpenVINO computes in bfloat16 where the processor can, which moves edges.
  auto model =
      core.compile_model(file, "CPU", ov::hint::inference_precision(ov::element::f32));
  const auto request =
      std::make_shared<ov::InferRequest>(model.create_infer_request());
  return [request, about](const std::vector<float>& input) {
    const std::size_t c = about.channels, h = about.height, w = about.width;
    const ov::Shape shape = about.planes ? ov::Shape{1, c, h, w} : ov::Shape{1, h, w, c};
    const ov::element::Type type = about.bytes ? ov::element::u8 : ov::element::f32;
    ov::Tensor image(type, shape);
    if (about.bytes) {
      std::copy(input.begin(), input.end(), image.data<std::uint8_t>());
    } else {
      std::copy(input.begin(), input.end(), image.data<float>());
    }
    request->set_tensor(about.input, image);
    request->infer();
    return as_floats(request->get_tensor(about.output));
  };
}

}  // namespace

int main(int argc, char** argv) { return kseg::program(argc, argv, open_model); }
