#include "db/postgres/libpq.hpp"

#include "db/engine.hpp"

#include <dlfcn.h>

#include <string>

namespace openrd::db::postgres {
namespace {

template <class Function> void load(void* library, Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function) throw Error(Trouble::unavailable, std::string("libpq.so.5 has no ") + name + ": openrd needs that of PostgreSQL 14 or newer");
}

}  // namespace

Libpq::Libpq() {
    // Never closed: what it has set up in the process stays.
    void* const library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) throw Error(Trouble::unavailable, "libpq.so.5 is not installed (Debian: libpq5): it is needed for a PostgreSQL database");
    load(library, connect, "PQconnectdbParams");
    load(library, conninfo_parse, "PQconninfoParse");
    load(library, conninfo_free, "PQconninfoFree");
    load(library, free_memory, "PQfreemem");
    load(library, finish, "PQfinish");
    load(library, status, "PQstatus");
    load(library, socket, "PQsocket");
    load(library, error_message, "PQerrorMessage");
    load(library, set_nonblocking, "PQsetnonblocking");
    load(library, set_notice_receiver, "PQsetNoticeReceiver");
    load(library, enter_pipeline, "PQenterPipelineMode");
    load(library, pipeline_sync, "PQpipelineSync");
    load(library, send_prepare, "PQsendPrepare");
    load(library, send_prepared, "PQsendQueryPrepared");
    load(library, send_params, "PQsendQueryParams");
    load(library, flush, "PQflush");
    load(library, consume_input, "PQconsumeInput");
    load(library, busy, "PQisBusy");
    load(library, result, "PQgetResult");
    load(library, result_status, "PQresultStatus");
    load(library, error_field, "PQresultErrorField");
    load(library, clear, "PQclear");
    load(library, rows, "PQntuples");
    load(library, columns, "PQnfields");
    load(library, type, "PQftype");
    load(library, value, "PQgetvalue");
    load(library, length, "PQgetlength");
    load(library, is_null, "PQgetisnull");
    load(library, changed_rows, "PQcmdTuples");
    load(library, command_tag, "PQcmdStatus");
}

const Libpq& Libpq::get() {
    static const Libpq library;
    return library;
}

}  // namespace openrd::db::postgres
