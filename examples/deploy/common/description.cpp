#include "description.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace kseg {

Description read_description(const std::string& model_file) {
  const std::string path = model_file + ".json";
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " is missing; the export command writes it");
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    const nlohmann::json& model = json.at("model");
    Description found;
    found.input = json.at("input");
    found.output = json.at("outputs").at(0);
    found.kind = json.at("output");
    found.planes = json.at("layout") == "NCHW";
    found.bytes = json.at("input_dtype") == "uint8";
    found.channels = json.at("channels");
    found.resize_op = model.at("resize_op");
    found.class_names = model.at("class_names").get<std::vector<std::string>>();
    found.palette = json.at("palette").get<std::vector<Colour>>();
    // Graphs of any size run at that of training.
    const bool open = json.at("size").is_null();
    found.height = open ? model.at("input_height") : json.at("size").at(0);
    found.width = open ? model.at("input_width") : json.at("size").at(1);
    return found;
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(path + " does not describe a model: " + error.what());
  }
}

}  // namespace kseg
