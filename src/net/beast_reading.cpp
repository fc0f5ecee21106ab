#include "net/beast_reading.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <limits>

namespace openrd::net {

std::optional<BeastReading> read_with_beast(std::string_view head) {
    namespace http = boost::beast::http;
    http::request_parser<http::empty_body> parser;
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());
    parser.body_limit(boost::none);
    boost::system::error_code error;
    parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done()) return {};

    const auto& message = parser.get();
    BeastReading reading;
    reading.method = std::string(message.method_string());
    reading.target = std::string(message.target());
    for (const auto& field : message) reading.lines.emplace_back(std::string(field.name_string()), std::string(field.value()));
    std::ranges::sort(reading.lines);
    if (parser.content_length()) reading.content_length = *parser.content_length();
    reading.chunked = parser.chunked();
    reading.keep_alive = parser.keep_alive();
    return reading;
}

}  // namespace openrd::net
