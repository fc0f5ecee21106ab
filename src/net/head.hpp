#pragma once
// The head of an HTTP/1.x request (RFC 9112), read from the bytes of the connection as they arrive: views into those bytes,
// nothing copied, every byte looked at once. Refused is whatever two readers could understand differently, so that no
// request can hide in another: bare LF or CR, folded lines, a space before the colon, a repeated Content-Length, any
// Transfer-Encoding but "chunked", both of them together.
#include "base/limits.hpp"
#include "net/octets.hpp"
#include "pipeline/handler.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace openrd::net {

// A part of the head, counted from its first byte: the bytes may move while the rest of the request is read.
struct Part {
    std::uint32_t begin = 0, size = 0;
    std::string_view of(const char* head) const { return {head + begin, size}; }
};

struct Head {
    struct Line {
        Part name, value;
    };
    Part method, target;  // the target begins with '/', or is "*"
    Part host;            // the value of Host; empty when there is none
    std::vector<Line> lines;
    std::uint32_t size = 0;  // of the whole head with the empty line that ends it
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool keep_alive = true;  // as the client wishes
    bool expects_continue = false;
};

enum class Progress : std::uint8_t { more, complete, refused };

class HeadReader {
  public:
    explicit HeadReader(const base::HttpLimits& limits) : limits_(limits) {}

    // Forgets the last head and reads the next.
    void begin();

    // `bytes` begins with the first byte of the head and holds all that earlier calls saw. The target of a request to a
    // proxy is cut to its path; when it has none, the last byte of its authority becomes the missing '/'.
    Progress read(char* bytes, std::size_t size);

    const Head& head() const { return head_; }                // whole after `complete`; what is known of it after `refused`
    pipeline::Malformed problem() const { return problem_; }  // after `refused`

  private:
    enum class Stage : std::uint8_t { request_line, fields };

    Progress refuse(pipeline::Malformed problem);
    Progress bad() { return refuse(pipeline::Malformed::bad_request); }
    Progress first_line_so_far(std::string_view line);
    Progress request_line(char* bytes, std::string_view line);
    Progress target(char* bytes, std::string_view target);
    Progress field(std::string_view line);
    Progress known_field(std::string_view name, std::string_view value);
    Progress connection(std::string_view list);
    Progress content_length(std::string_view value);
    Progress finish();
    Part part(std::string_view text) const;

    base::HttpLimits limits_;
    Head head_;
    Lines lines_;
    Stage stage_ = Stage::request_line;
    pipeline::Malformed problem_ = pipeline::Malformed::bad_request;
    const char* start_ = nullptr;  // of the bytes, during read
    std::size_t line_begin_ = 0;
    unsigned empty_lines_ = 0, hosts_ = 0, lengths_ = 0, encodings_ = 0;
    bool version_1_0_ = false, close_ = false, keep_alive_ = false;
};

}  // namespace openrd::net
