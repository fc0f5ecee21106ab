#pragma once
// A chunked body (RFC 9112 7.1), put together in place: the data of each chunk moves down over the framing before it.
// Extensions and trailers are checked and dropped. Refused: anything but hexadecimal digits as a size, bare CR or LF,
// size lines over 256 bytes, trailers larger than a head may be, data over the body limit, counted before it is there.
#include "base/limits.hpp"
#include "net/head.hpp"
#include "net/octets.hpp"

#include <cstddef>
#include <cstdint>

namespace openrd::net {

class ChunkedReader {
  public:
    explicit ChunkedReader(const base::HttpLimits& limits) : body_limit_(limits.body_bytes), trailer_limit_(limits.header_bytes) {}

    void begin();

    // `bytes` begins with the first byte of the body: body_size() decoded bytes from earlier calls, then what arrived since.
    // `size` counts all of them and becomes smaller by the framing that went: after `more`, new bytes belong at bytes + size.
    Progress read(char* bytes, std::size_t& size);

    std::size_t body_size() const { return body_size_; }  // decoded so far; after `complete`, what follows it is the next request
    pipeline::Malformed problem() const { return problem_; }

  private:
    enum class Stage : std::uint8_t { size_line, data, data_end, trailers };

    Progress refuse(pipeline::Malformed problem);
    Progress size_line(std::string_view line);
    Progress line(std::string_view text);
    std::size_t longest_line() const;

    std::size_t body_limit_, trailer_limit_;
    Lines lines_;
    Stage stage_ = Stage::size_line;
    pipeline::Malformed problem_ = pipeline::Malformed::bad_request;
    std::size_t body_size_ = 0, missing_ = 0;  // of the chunk's data
    std::size_t trailer_lines_ = 0, trailer_bytes_ = 0;
};

}  // namespace openrd::net
