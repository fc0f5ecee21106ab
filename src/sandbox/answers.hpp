#pragma once
// Answers of the control endpoints: JSON, and problem objects (RFC 9457) on errors. None of them is for a web page of another
// origin: no CORS header.
#include "pipeline/handler.hpp"

#include <string>
#include <string_view>

namespace openrd::sandbox {

pipeline::Response json_answer(std::string json);
// Prometheus text format 0.0.4.
pipeline::Response text_answer(std::string text);
pipeline::Response empty_answer();  // 204
// `detail` says what is wrong in this case.
pipeline::Response problem(int status, std::string_view detail);

}  // namespace openrd::sandbox
