#pragma once
// The metrics page: what the server's parts say of themselves, as Prometheus text (format 0.0.4).
#include "db/engine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace openrd {

struct Gauges {
    std::size_t in_flight = 0, write_backlog = 0, connections = 0;
    std::int64_t audit_sealed = 0;
    bool audit_halted = false;
    bool takes_writes = true;
    std::optional<std::vector<std::pair<std::string, std::int64_t>>> outbox = {};  // nothing: the database cannot be read
    std::optional<std::int64_t> certificate_expires_s = {};
};
void append_gauges(std::string& out, const Gauges& gauges);

// By state; nothing when the database cannot be read.
std::optional<std::vector<std::pair<std::string, std::int64_t>>> outbox_by_state(db::Engine& engine);

}  // namespace openrd
