#include "openrd/metrics_page.hpp"

#include "base/log.hpp"
#include "store/outbox.hpp"

#include <fmt/format.h>

#include <iterator>

namespace openrd {
namespace {

void gauge(std::string& out, std::string_view name, std::string_view help, std::int64_t value) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name, help, value);
}

}  // namespace

void append_gauges(std::string& out, const Gauges& gauges) {
    gauge(out, "openrd_requests_in_flight", "Requests that are not answered yet.", static_cast<std::int64_t>(gauges.in_flight));
    gauge(out, "openrd_write_backlog", "Writes that wait for the database.", static_cast<std::int64_t>(gauges.write_backlog));
    gauge(out, "openrd_connections", "Open connections of the API.", static_cast<std::int64_t>(gauges.connections));
    gauge(out, "openrd_audit_sealed_entries", "Entries of the audit log that are known to be sealed.", gauges.audit_sealed);
    gauge(out, "openrd_audit_halted", "1 when the audit log is not sealed any more.", gauges.audit_halted ? 1 : 0);
    gauge(out, "openrd_database_readable", "1 when the database answered just now.", gauges.outbox ? 1 : 0);
    gauge(out, "openrd_database_writable", "1 when the database took the latest write.", gauges.takes_writes ? 1 : 0);
    if (gauges.certificate_expires_s) gauge(out, "openrd_tls_certificate_expires_seconds", "When the certificate ends, in seconds since 1970.", *gauges.certificate_expires_s);
    if (!gauges.outbox) return;
    out += "# HELP openrd_outbox_messages Messages by state.\n# TYPE openrd_outbox_messages gauge\n";
    for (const auto& [state, count] : *gauges.outbox) fmt::format_to(std::back_inserter(out), "openrd_outbox_messages{{state=\"{}\"}} {}\n", state, count);
}

std::optional<std::vector<std::pair<std::string, std::int64_t>>> outbox_by_state(db::Engine& engine) {
    try {
        std::vector<std::pair<std::string, std::int64_t>> counts;
        engine.read([&](db::Transaction& tx) { counts = store::count_messages_by_state(tx); });
        return counts;
    } catch (const std::exception& error) {
        base::log::error("the outbox cannot be counted", {{"reason", error.what()}});
        return {};
    }
}

}  // namespace openrd
