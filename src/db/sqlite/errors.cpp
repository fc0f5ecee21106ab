#include "db/sqlite/errors.hpp"

#include <sqlite3.h>

namespace openrd::db::sqlite {

Trouble trouble_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_PERM:
        case SQLITE_PROTOCOL:
        case SQLITE_ABORT:  // the transaction was rolled back under the statement
        case SQLITE_INTERRUPT:
            return Trouble::unavailable;
        case SQLITE_CONSTRAINT:
            return Trouble::conflict;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return Trouble::damaged;
        default:
            return Trouble::programming;
    }
}

Error error_of(sqlite3* connection, int code, std::string_view doing) {
    constexpr std::size_t shown = 120;  // of a statement: enough to find it
    std::string what(doing.substr(0, shown));
    what += doing.size() > shown ? "...: " : ": ";
    // errmsg speaks of the connection's last call, which is not always the one that failed.
    what += connection && sqlite3_extended_errcode(connection) == code ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    return Error(trouble_of(code), what);
}

}  // namespace openrd::db::sqlite
