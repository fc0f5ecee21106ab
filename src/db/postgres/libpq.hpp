#pragma once
// libpq, loaded when a database URL asks for it: with it come Kerberos, LDAP and their kin, which would cost every start of the
// sandbox some milliseconds (docs/decisions/0033-libpq-is-loaded-when-it-is-needed.md).
#include <libpq-fe.h>

namespace openrd::db::postgres {

struct Libpq {
    // Loads the library at the first call. Throws db::Error(unavailable) when it is not installed.
    static const Libpq& get();

    decltype(&::PQconnectdbParams) connect = nullptr;
    decltype(&::PQconninfoParse) conninfo_parse = nullptr;
    decltype(&::PQconninfoFree) conninfo_free = nullptr;
    decltype(&::PQfreemem) free_memory = nullptr;
    decltype(&::PQfinish) finish = nullptr;
    decltype(&::PQstatus) status = nullptr;
    decltype(&::PQsocket) socket = nullptr;
    decltype(&::PQerrorMessage) error_message = nullptr;
    decltype(&::PQsetnonblocking) set_nonblocking = nullptr;
    decltype(&::PQsetNoticeReceiver) set_notice_receiver = nullptr;
    decltype(&::PQenterPipelineMode) enter_pipeline = nullptr;
    decltype(&::PQpipelineSync) pipeline_sync = nullptr;
    decltype(&::PQsendPrepare) send_prepare = nullptr;
    decltype(&::PQsendQueryPrepared) send_prepared = nullptr;
    decltype(&::PQsendQueryParams) send_params = nullptr;
    decltype(&::PQflush) flush = nullptr;
    decltype(&::PQconsumeInput) consume_input = nullptr;
    decltype(&::PQisBusy) busy = nullptr;
    decltype(&::PQgetResult) result = nullptr;
    decltype(&::PQresultStatus) result_status = nullptr;
    decltype(&::PQresultErrorField) error_field = nullptr;
    decltype(&::PQclear) clear = nullptr;
    decltype(&::PQntuples) rows = nullptr;
    decltype(&::PQnfields) columns = nullptr;
    decltype(&::PQftype) type = nullptr;
    decltype(&::PQgetvalue) value = nullptr;
    decltype(&::PQgetlength) length = nullptr;
    decltype(&::PQgetisnull) is_null = nullptr;
    decltype(&::PQcmdTuples) changed_rows = nullptr;
    decltype(&::PQcmdStatus) command_tag = nullptr;

  private:
    Libpq();
};

}  // namespace openrd::db::postgres
