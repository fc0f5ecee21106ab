#include "openrd/serve.hpp"

#include "api/registry.hpp"
#include "openrd/config.hpp"
#include "openrd/data.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/failure.hpp"
#include "openrd/settings.hpp"

#include <fmt/format.h>

namespace openrd {
namespace {

// As the vendor writes it.
std::string known_action(const std::string& name) {
    for (const auto version : api::every_version)
        if (const auto action = api::vendor_action(name, version); !action.empty()) return std::string(action);
    throw Failure(fmt::format("--disable-action {}: there is no such operation", name));
}

// The sandbox's keys are public: an address that others reach takes two words.
net::Listen listen_for(const ServeWords& words, std::string_view flag, const std::string& text) {
    const auto listen = parse_listen(text);
    if (!listen) throw Failure(fmt::format("{} {}: it is an IP address and a port, such as 127.0.0.1:8080 or [::1]:0", flag, text));
    if (!is_loopback(listen->address) && !words.allow_remote)
        throw Failure(fmt::format("{} {}: others could reach it, and the sandbox's keys are public; say --allow-remote as well if that is meant", flag, text));
    return *listen;
}

}  // namespace

ServeOptions serve_options(const ServeWords& words) {
    if (!words.config.empty()) {
        if (words.sandbox) throw Failure("--sandbox and --config do not go together: a sandbox has no configuration file, and production has no sandbox");
        return read_config(words.config).serve;
    }
    if (!words.sandbox) throw Failure("say what to serve: --config FILE in production, --sandbox to try things out");
    ServeOptions options;
    const auto profile = parse_profile(words.limits.empty() ? "open" : words.limits);
    if (!profile) throw Failure(fmt::format("--limits {}: it is open, documented or strict", words.limits));
    options.settings = settings_for(*profile);
    options.settings.sandbox = true;
    const auto site = parse_site(words.site);
    if (!site) throw Failure(fmt::format("--site {}: it is international or china", words.site));
    options.settings.site = *site;
    for (const auto& name : words.disabled_actions) options.settings.disabled_actions.push_back(known_action(name));
    options.settings.audit.reads = words.audit_reads;
    if (words.threads > 256) throw Failure("--threads: at most 256");
    options.settings.threads = words.threads;
    if (words.database_connections > 1000) throw Failure("--database-connections: at most 1000");
    if (words.database_connections != 0) options.settings.database_connections = words.database_connections;

    options.allow_remote = words.allow_remote;
    options.listen = listen_for(words, "--listen", words.listen);
    if (words.tls_listen.empty() != words.tls_cert.empty() || words.tls_cert.empty() != words.tls_key.empty()) throw Failure("--tls-listen, --tls-cert and --tls-key go together");
    if (!words.tls_listen.empty()) options.tls_listen = listen_for(words, "--tls-listen", words.tls_listen);
    options.tls_cert = words.tls_cert;
    options.tls_key = words.tls_key;
    if (words.memory && !words.data.empty()) throw Failure("--memory keeps nothing and --data says where: one of them");
    if (words.memory && !words.database.empty()) throw Failure("--memory keeps nothing and --database says where: one of them");
    options.database_url = checked_url(words.database);
    options.memory = words.memory;
    options.data_directory = words.data.empty() ? std::string(default_data_directory) : words.data;
    options.key_file = words.key_file;
    options.settings.numbering_file = words.numbering;
    options.ready_file = words.ready_file;
    if (!base::log::parse_level(words.log_level, options.log_level)) throw Failure(fmt::format("--log-level {}: it is debug, info, warning, error or off", words.log_level));
    return options;
}

}  // namespace openrd
