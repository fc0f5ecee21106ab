#include "db/postgres/errors.hpp"

#include <algorithm>

namespace openrd::db::postgres {
namespace {

// Of a message such as one with another number of values than the statement takes.
constexpr std::string_view wrong_message = "08P01";

// Source: PostgreSQL's appendix of error codes; the first two characters are the class.
bool in_class(std::string_view state, std::string_view of) { return state.starts_with(of); }

}  // namespace

std::string one_line(std::string_view text) {
    std::string line(text);
    std::ranges::replace(line, '\n', ' ');
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

Trouble trouble_of_state(std::string_view state) {
    if (in_class(state, "23")) return Trouble::conflict;
    if (state == wrong_message) return Trouble::programming;
    if (state == "XX001" || state == "XX002") return Trouble::damaged;
    // 08 connection, 25006 read-only, 40 rolled back, 53 resources (full disk), 55P03 lock not to be had, 57 operator and cancelled
    // statements, 58 the system's own errors.
    for (const std::string_view unavailable : {"08", "25006", "40", "53", "55P03", "57", "58"})
        if (in_class(state, unavailable)) return Trouble::unavailable;
    return Trouble::programming;
}

ServerError::ServerError(std::string_view state, const std::string& what)
    : Error(trouble_of_state(state), what), repeatable_(state == "40001" || state == "40P01" || state == "25006"),
      fatal_((in_class(state, "08") && state != wrong_message) || state == "25006" || state == "57P01" || state == "57P02" || state == "57P03" || state == "57P05") {}

ServerError error_of(const PGresult* result, std::string_view doing) {
    constexpr std::size_t shown = 120;  // of a statement: enough to find it
    const Libpq& pq = Libpq::get();
    const char* state = pq.error_field(result, PG_DIAG_SQLSTATE);
    const char* message = pq.error_field(result, PG_DIAG_MESSAGE_PRIMARY);
    // Never the detail: it quotes the values of the row.
    std::string what(doing.substr(0, shown));
    what += doing.size() > shown ? "...: " : ": ";
    what += one_line(message ? message : "the server did not say why");
    if (state) what.append(" (").append(state).append(")");
    return {state ? state : "08006", what};
}

}  // namespace openrd::db::postgres
