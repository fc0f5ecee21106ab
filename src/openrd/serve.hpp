#pragma once
// `openrd serve`: the server, from its settings to its last answer.
#include "base/limits.hpp"
#include "base/log.hpp"
#include "net/server.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace openrd {

struct ConfigDocument;

struct ServeOptions {
    base::Settings settings;
    std::optional<net::Listen> listen = net::Listen{.address = "127.0.0.1", .port = 8080};
    std::optional<net::Listen> tls_listen, admin_listen;
    std::string tls_cert, tls_key;
    bool allow_remote = false;
    std::string data_directory;
    std::string database_url;                        // empty: a file in the data directory
    std::string key_file;                            // empty: openrd.key in the data directory
    bool memory = false;                             // keep nothing
    std::shared_ptr<const ConfigDocument> document;  // of a production server
    std::string ready_file;
    base::log::Level log_level = base::log::Level::info;
};

// As they stand on the command line.
struct ServeWords {
    bool sandbox = false;
    std::string config;
    std::string listen = "127.0.0.1:8080";
    std::string data, database, key_file, numbering, site = "international", limits, ready_file, log_level = "info";
    std::string tls_listen, tls_cert, tls_key;
    bool memory = false, allow_remote = false, audit_reads = false;
    std::vector<std::string> disabled_actions;
    std::uint32_t threads = 0, database_connections = 0;
};
// Throws Failure for what does not make sense.
ServeOptions serve_options(const ServeWords& words);

// Serves until SIGTERM or SIGINT, then ends what has begun. Throws Failure, db::Error, keys::FileError or std::system_error when it
// cannot start.
int serve(const ServeOptions& options);

}  // namespace openrd
