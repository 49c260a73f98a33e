// Segment a picture with a model that `kseg export_onnx` wrote.
#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "program.h"

namespace {

struct Model {
  Ort::Env environment{ORT_LOGGING_LEVEL_ERROR, "kseg"};
  Ort::Session session;
  explicit Model(const char* file) : session(environment, file, Ort::SessionOptions{}) {}
};

std::vector<float> as_floats(Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const std::size_t count = info.GetElementCount();
  if (info.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8) {
    const auto* first = value.GetTensorData<std::uint8_t>();
    return {first, first + count};
  }
  const auto* first = value.GetTensorData<float>();
  return {first, first + count};
}

kseg::Run open_model(const std::string& file, const kseg::Description& about) {
  const auto model = std::make_shared<Model>(file.c_str());
  return [model, about](const std::vector<float>& input) {
    const std::array<std::int64_t, 4> planes{1, about.channels, about.height, about.width};
    const std::array<std::int64_t, 4> pixels{1, about.height, about.width, about.channels};
    const auto& shape = about.planes ? planes : pixels;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    // The tensor refers to this memory.
    std::vector<float> floats(input);
    std::vector<std::uint8_t> bytes(input.begin(), input.end());
    const Ort::Value image =
        about.bytes ? Ort::Value::CreateTensor<std::uint8_t>(memory, bytes.data(), bytes.size(),
                                                             shape.data(), shape.size())
                    : Ort::Value::CreateTensor<float>(memory, floats.data(), floats.size(),
                                                      shape.data(), shape.size());
    const char* from = about.input.c_str();
    const char* to = about.output.c_str();
    auto outputs = model->session.Run(Ort::RunOptions{nullptr}, &from, &image, 1, &to, 1);
    return as_floats(outputs.front());
  };
}

}  // namespace

int main(int argc, char** argv) { return kseg::program(argc, argv, open_model); }
