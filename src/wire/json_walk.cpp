#include "wire/json_walk.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <string>

namespace openrd::wire {
namespace {

using boost::json::error_code;

// Boost.JSON's parser calls these. A string may come in several parts, where it had escapes.
class Events {
  public:
    static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX, max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;

    explicit Events(JsonVisitor& visitor) : visitor_(visitor) {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& error) { return go_on(visitor_.begin_object(), error); }
    bool on_object_end(std::size_t, error_code& error) { return go_on(visitor_.end_object(), error); }
    bool on_array_begin(error_code& error) { return go_on(visitor_.begin_array(), error); }
    bool on_array_end(std::size_t, error_code& error) { return go_on(visitor_.end_array(), error); }
    bool on_key_part(boost::json::string_view part, std::size_t, error_code&) { return parts_.append(part.data(), part.size()), true; }
    bool on_key(boost::json::string_view last, std::size_t, error_code& error) { return go_on(visitor_.key(whole(last)), error); }
    bool on_string_part(boost::json::string_view part, std::size_t, error_code&) { return parts_.append(part.data(), part.size()), true; }
    bool on_string(boost::json::string_view last, std::size_t, error_code& error) { return go_on(visitor_.text(whole(last)), error); }
    bool on_number_part(boost::json::string_view part, error_code&) { return parts_.append(part.data(), part.size()), true; }
    bool on_int64(std::int64_t, boost::json::string_view last, error_code& error) { return go_on(visitor_.literal(whole(last)), error); }
    bool on_uint64(std::uint64_t, boost::json::string_view last, error_code& error) { return go_on(visitor_.literal(whole(last)), error); }
    bool on_double(double, boost::json::string_view last, error_code& error) { return go_on(visitor_.literal(whole(last)), error); }
    bool on_bool(bool value, error_code& error) { return go_on(visitor_.literal(value ? "true" : "false"), error); }
    bool on_null(error_code& error) { return go_on(visitor_.null(), error); }
    bool on_comment_part(boost::json::string_view, error_code&) { return true; }
    bool on_comment(boost::json::string_view, error_code&) { return true; }

  private:
    std::string_view whole(boost::json::string_view last) {
        if (whole_.clear(), parts_.empty()) return {last.data(), last.size()};
        whole_.swap(parts_);
        return whole_.append(last.data(), last.size());
    }
    static bool go_on(bool yes, error_code& error) {
        if (!yes) error = boost::json::make_error_code(boost::json::error::exception);
        return yes;
    }

    JsonVisitor& visitor_;
    std::string parts_, whole_;
};

}  // namespace

bool walk_json(std::string_view json, std::size_t max_depth, JsonVisitor& visitor) {
    boost::json::parse_options options;
    options.max_depth = max_depth;
    boost::json::basic_parser<Events> parser(options, visitor);
    error_code error;
    const std::size_t used = parser.write_some(false, json.data(), json.size(), error);
    return !error && used == json.size();
}

}  // namespace openrd::wire
