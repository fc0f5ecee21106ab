#pragma once
// Answers as bytes (protocol.md D.1): head and body appended to one string that the connection uses again and again.
#include "base/clock.hpp"
#include "pipeline/handler.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace openrd::net {

// One per I/O thread: it keeps the text of the date for a second.
class AnswerWriter {
  public:
    AnswerWriter(const base::Clock& clock, std::int64_t idle_time_ms);

    struct Form {
        bool keep_alive = true;
        bool head_only = false;  // the answer to HEAD: the length of the body without the body
    };
    // Statuses that are none become 500. Headers whose name or value would break the head, and those that say where the
    // answer ends, are left out.
    void append(std::string& out, const pipeline::Response& response, Form form);

  private:
    void append_date(std::string& out);
    void append_trace_id(std::string& out);
    std::uint64_t random();

    const base::Clock& clock_;
    std::string keep_alive_;
    std::string date_;
    std::int64_t date_second_ = INT64_MIN;
    std::uint64_t random_state_;
};

}  // namespace openrd::net
