// Labels a picture in C++, by OpenVINO, which reads both model.onnx and its own model.xml.
//
//     segment model.onnx street.ppm labels.pgm
//
// The picture is a binary PPM (P6, 8 bits); labels.pgm holds the train id of each pixel. All that the network needs is
// in its file: pixels go in as they are, and labels come out.
#include <fstream>
#include <iostream>
#include <vector>

#include <openvino/openvino.hpp>

static std::vector<uint8_t> read_ppm(const std::string& path, size_t& height, size_t& width) {
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    size_t highest = 0;
    if (!(file >> kind >> width >> height >> highest) || kind != "P6" || highest != 255)
        throw std::runtime_error(path + " is no PPM of 8 bits");
    file.get();  // one blank ends the head
    std::vector<uint8_t> pixels(height * width * 3);
    if (!file.read(reinterpret_cast<char*>(pixels.data()), pixels.size()))
        throw std::runtime_error(path + " is cut short");
    return pixels;
}

int main(int count, char** arguments) try {
    if (count != 4) throw std::runtime_error("usage: segment MODEL PICTURE.ppm LABELS.pgm");
    size_t height, width;
    std::vector<uint8_t> pixels = read_ppm(arguments[2], height, width);

    ov::Core core;  // which on some processors computes in bf16, unless it is told not to
    auto network = core.compile_model(arguments[1], "CPU", ov::hint::inference_precision(ov::element::f32));
    auto request = network.create_infer_request();
    request.set_input_tensor(ov::Tensor(ov::element::u8, {1, height, width, 3}, pixels.data()));
    request.infer();

    std::ofstream labels(arguments[3], std::ios::binary);
    labels << "P5\n" << width << " " << height << "\n255\n";
    labels.write(reinterpret_cast<const char*>(request.get_output_tensor().data<uint8_t>()), height * width);
    return labels.flush() ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
}
