#pragma once
// What the server says against a statement, and what that means for the transaction.
#include "db/engine.hpp"
#include "db/postgres/libpq.hpp"

#include <string>
#include <string_view>

namespace openrd::db::postgres {

// The server's own words. Its transaction is broken until it goes back to a savepoint.
class ServerError : public Error {
  public:
    ServerError(std::string_view state, const std::string& what);
    // Nothing was done, and the same transaction may well succeed when it is run again (40001, 40P01, and a server that has become
    // read-only: another host takes the writes).
    bool repeatable() const { return repeatable_; }
    // Of a statement that nobody waited for, such as the insertion of a row whose key was drawn: drawn anew it succeeds.
    void set_repeatable() { repeatable_ = true; }
    // The connection is of no use any more.
    bool fatal() const { return fatal_; }

  private:
    bool repeatable_, fatal_;
};

// The connection broke, or the server did not answer in time. What was not committed is undone by the server.
class Lost : public Error {
  public:
    explicit Lost(const std::string& what) : Error(Trouble::unavailable, what) {}
};

Trouble trouble_of_state(std::string_view sqlstate);
// Fits a log and a message: the server's and libpq's words come with line ends.
std::string one_line(std::string_view text);
// Of a result that is an error; `doing` is the statement.
ServerError error_of(const PGresult* result, std::string_view doing);

}  // namespace openrd::db::postgres
