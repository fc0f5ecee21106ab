#include "openrd/config.hpp"

#include "base/descriptor.hpp"
#include "openrd/config_document.hpp"
#include "openrd/config_values.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/settings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>

namespace openrd {
namespace {

constexpr std::size_t largest_file = 1024UL * 1024;
constexpr std::string_view delivery_table = "delivery";

// clang-format off
constexpr ConfigKey file_keys[] = {
    {"server.listen", "IP address and port for plain HTTP: a loopback address, or behind declared proxies, or with `require_tls`."},
    {"server.tls_listen", "IP address and port for HTTPS. One of the two must be there."},
    {"server.tls_cert", "PEM file: the certificate and those between it and its root. Read again on SIGHUP."},
    {"server.tls_key", "PEM file: its private key, which others may not read."},
    {"server.ready_file", "A file that holds the address while the server accepts."},
    {"server.log_level", "`debug`, `info` (as delivered), `warning`, `error` or `off`."},
    {"admin.listen", "IP address and port of the health and metrics pages. None as delivered."},
    {"admin.allow_remote", "Whether that may be an address that others can reach. The pages name no account, but they are not for everybody."},
    {"database.data", "The data directory, for SQLite."},
    {"database.url", "The database, for PostgreSQL: `postgresql://...`. One of the two must be there."},
    {"keys.file", "The key file, made by `openrd init`; `${CREDENTIALS_DIRECTORY}/openrd.key` for systemd's LoadCredential."},
    {"limits.profile", "`strict` (as delivered in production), `documented` or `open`: where the settings below begin."},
    {"delivery.origin", "The name that a code is bound to on the phone (`@NAME #CODE`), `openrd` as delivered; empty: none."},
    {"delivery.chinese", "Calling codes whose phones are written to in Chinese: 86, 852, 853 and 886 as delivered."},
    {"delivery.texts", "What is written instead: `[delivery.texts.bind-secure-phone]` with `en` and `zh`."},
    {"delivery.workers", "Messages that each channel carries at once, for each server: 2 as delivered."},
    {"delivery.keep", "How long a message's row stays after its code's life: `720h` as delivered, `none` for ever."},
    {"delivery.channel", "`[[delivery.channel]]`: what carries messages, in order of preference; its keys: operations/messages.md."},
    {"delivery.route", "`[[delivery.route]]` with `countries` and `channels`: another order for some countries."},
    {"delivery.risk", "`[delivery.risk]` with `url`, `secret` or `secret_file`, `ca_file`, `timeout`, `youngest`, `fail_open`: who is asked before a code is sent; operations/messages.md."},
};
// clang-format on

struct File {
    std::string text;
    mode_t mode = 0;
};

File read_file(const std::string& path) {
    const auto fail = [&](std::string_view why) -> Failure { return Failure(fmt::format("configuration file {}: {}", path, why)); };
    const base::Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!descriptor.open()) throw fail(errno == ENOENT ? std::string("there is no such file") : fmt::format("cannot be opened: {}", std::strerror(errno)));
    struct stat facts {};
    if (::fstat(descriptor.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) throw fail("is not a regular file");
    // Whoever writes it names the key file and the database.
    if ((facts.st_mode & S_IWOTH) != 0) throw fail("others may write it (chmod o-w)");
    if (static_cast<std::size_t>(facts.st_size) > largest_file) throw fail("is larger than 1 MiB");
    File file{.text = std::string(static_cast<std::size_t>(facts.st_size), '\0'), .mode = facts.st_mode};
    for (std::size_t have = 0; have < file.text.size();) {
        const auto count = ::read(descriptor.get(), file.text.data() + have, file.text.size() - have);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw fail("cannot be read");
        have += static_cast<std::size_t>(count);
    }
    return file;
}

std::shared_ptr<const ConfigDocument> parse(const std::string& path, std::string_view text) {
    try {
        return std::make_shared<const ConfigDocument>(ConfigDocument{.path = path, .root = toml::parse(text, std::string_view(path))});
    } catch (const toml::parse_error& error) {
        std::string why(error.description());
        std::ranges::replace(why, '\n', ' ');
        throw Failure(fmt::format("{}:{}: {}", path, error.source().begin.line, why));
    }
}

// Every key that is no table, with its dotted name; what belongs to delivery/ is left to it.
using Leaves = std::map<std::string, const toml::node*>;
void collect(const toml::table& table, const std::string& prefix, Leaves& leaves) {
    for (const auto& [key, node] : table) {
        const auto name = prefix + std::string(key.str());
        if (name == delivery_table) continue;
        if (const auto* inner = node.as_table()) collect(*inner, name + ".", leaves);
        else leaves.emplace(name, &node);
    }
}

// Names under which a channel keeps what nobody else may know; not those of files that do.
bool names_a_secret(std::string_view key) {
    return std::ranges::any_of(std::initializer_list<std::string_view>{"password", "secret", "secrets", "token", "key"}, [&](std::string_view end) { return key.ends_with(end); });
}
const toml::node* find_secret(const toml::node& node) {
    if (const auto* table = node.as_table()) {
        for (const auto& [key, inner] : *table) {
            if (!inner.is_table() && !inner.is_boolean() && names_a_secret(key.str())) return &inner;
            if (const auto* found = find_secret(inner)) return found;
        }
    }
    if (const auto* list = node.as_array())
        for (const auto& inner : *list)
            if (const auto* found = find_secret(inner)) return found;
    return nullptr;
}

bool has_password(std::string_view url) {
    const auto authority = url.substr(0, url.find('/', url.find("://") == url.npos ? 0 : url.find("://") + 3));
    const auto at = authority.rfind('@');
    return url.find("password=") != url.npos || (at != authority.npos && authority.substr(0, at).rfind(':') > authority.find("://"));
}

// Reads the keys one after another; what is left at the end is unknown.
class Reading {
  public:
    Reading(std::shared_ptr<const ConfigDocument> document, mode_t mode) : document_(std::move(document)), mode_(mode) { collect(document_->root, {}, leaves_); }

    Config read() {
        read_profile();
        auto& serve = config_.serve;
        serve.listen.reset();
        listen("server.listen", serve.listen);
        listen("server.tls_listen", serve.tls_listen);
        listen("admin.listen", serve.admin_listen);
        path("server.tls_cert", serve.tls_cert);
        path("server.tls_key", serve.tls_key);
        path("server.ready_file", serve.ready_file);
        path("database.data", config_.place.directory);
        text("database.url", config_.place.url);
        path("keys.file", config_.place.key_file);
        if (const auto* node = take("server.log_level"))
            if (!base::log::parse_level(read_text(*document_, "server.log_level", *node), serve.log_level))
                throw refusal("server.log_level", "it must be debug, info, warning, error or off");
        if (const auto* node = take("admin.allow_remote")) admin_remote_ = read_yes_no(*document_, "admin.allow_remote", *node);
        // Whoever asks for an address that others reach means encryption, unless he says otherwise.
        serve.settings.require_tls = serve.listen && !is_loopback(serve.listen->address);
        for (const auto& [name, node] : leaves_) {
            if (taken_.contains(name)) continue;
            if (!read_setting(*document_, name, *node, serve.settings)) throw refusal(name, "there is no such setting (docs/settings.md has all of them)");
        }
        check();
        serve.data_directory = config_.place.directory;
        serve.key_file = config_.place.key_file;
        serve.database_url = config_.place.url;
        serve.document = document_;
        return std::move(config_);
    }

  private:
    const toml::node* find(const std::string& name) const {
        const auto found = leaves_.find(name);
        return found == leaves_.end() ? nullptr : found->second;
    }
    const toml::node* take(const std::string& name) {
        taken_.insert(name);
        return find(name);
    }
    // Of a key that is there, or of one that is missing.
    Failure refusal(const std::string& name, std::string_view why) const {
        if (const auto* node = find(name)) return document_->refusal(*node, fmt::format("{}: {}", name, why));
        return Failure(fmt::format("{}: {}: {}", document_->path, name, why));
    }

    void read_profile() {
        auto profile = base::Profile::strict;
        if (const auto* node = take("limits.profile")) {
            const auto said = parse_profile(read_text(*document_, "limits.profile", *node));
            if (!said) throw refusal("limits.profile", "it must be strict, documented or open");
            profile = *said;
        }
        config_.serve.settings = settings_for(profile);
        // What can be charged for is what the operator has named, not what a sandbox tries things out with.
        config_.serve.settings.strict.countries.clear();
    }
    void listen(const std::string& name, std::optional<net::Listen>& into) {
        const auto* node = take(name);
        if (!node) return;
        into = parse_listen(read_text(*document_, name, *node));
        if (!into) throw refusal(name, "it must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8443");
    }
    void text(const std::string& name, std::string& into) {
        const auto* node = take(name);
        if (!node) return;
        into = read_text(*document_, name, *node);
        if (into.empty()) throw refusal(name, "it must not be empty");
    }
    void path(const std::string& name, std::string& into) {
        text(name, into);
        if (const auto* node = find(name)) into = expanded_path(document_->path, *node, name, into);
    }

    void check() const {
        check_places();
        check_listeners();
        check_codes();
        check_channels();
        check_secrets();
    }
    void check_places() const {
        const auto& place = config_.place;
        if (place.directory.empty() == place.url.empty()) throw refusal("database.data", "either database.data or database.url must say where the data are");
        if (!place.url.empty() && !place.url.starts_with("postgresql://") && !place.url.starts_with("postgres://"))
            throw refusal("database.url", "it must begin with postgresql://");
        if (place.key_file.empty()) throw refusal("keys.file", "it must say where the key file is");
    }
    void check_listeners() const {
        const auto& serve = config_.serve;
        const auto& settings = serve.settings;
        if (!serve.listen && !serve.tls_listen) throw refusal("server.listen", "either server.listen or server.tls_listen must say where to serve");
        if (serve.tls_listen.has_value() != !serve.tls_cert.empty() || serve.tls_cert.empty() != serve.tls_key.empty())
            throw refusal("server.tls_listen", "server.tls_listen, server.tls_cert and server.tls_key go together");
        if (serve.listen && !is_loopback(serve.listen->address) && settings.trusted_proxies.empty() && !(serve.tls_listen && settings.require_tls))
            throw refusal("server.listen",
                          "others could reach it, and it is not encrypted: use server.tls_listen, or declare the proxies in front of it in server.trusted_proxies");
        if (settings.require_tls && !serve.tls_listen && settings.trusted_proxies.empty())
            throw refusal("server.require_tls", "nobody could be served: there is neither server.tls_listen nor a proxy in server.trusted_proxies");
        if (serve.admin_listen && !is_loopback(serve.admin_listen->address) && !admin_remote_)
            throw refusal("admin.listen", "others could reach it: say admin.allow_remote = true as well if that is meant");
    }
    void check_codes() const {
        const auto& codes = config_.serve.settings.codes;
        if (codes.renew_below_ms > codes.lifetime_ms) throw refusal("codes.renew_below", "it is longer than codes.lifetime");
        if (codes.first_lock_failures > codes.second_lock_failures || codes.second_lock_failures > codes.final_lock_failures)
            throw refusal("codes.second_lock_failures", "first_lock_failures, second_lock_failures and final_lock_failures must be in this order");
    }
    // What a channel needs is looked at where channels are made; one of them has no place here at all.
    void check_channels() const {
        const auto* table = document_->root.get_as<toml::table>(delivery_table);
        if (const auto* other = document_->root.get(delivery_table); other && !table) throw document_->refusal(*other, "delivery: it must be a table");
        const auto* channels = table ? table->get_as<toml::array>("channel") : nullptr;
        if (!channels) return;
        for (const auto& one : *channels) {
            const auto* channel = one.as_table();
            if (!channel) continue;
            for (const std::string_view key : {"kind", "type", "name"})
                if (const auto* value = channel->get(key); value && value->value<std::string>() == "inbox")
                    throw document_->refusal(*value, "delivery.channel: the inbox is the sandbox's: it shows every code to whoever asks");
        }
    }
    void check_secrets() const {
        if ((mode_ & S_IROTH) == 0) return;
        if (has_password(config_.place.url)) throw refusal("database.url", "it holds a password, and others may read the file (chmod o-r)");
        const auto* delivery = document_->root.get(delivery_table);
        if (const auto* secret = delivery ? find_secret(*delivery) : nullptr)
            throw document_->refusal(*secret, "delivery: it holds a secret, and others may read the file (chmod o-r)");
    }

    std::shared_ptr<const ConfigDocument> document_;
    mode_t mode_;
    Leaves leaves_;
    std::set<std::string> taken_;
    Config config_;
    bool admin_remote_ = false;
};

}  // namespace

std::span<const ConfigKey> config_keys() { return file_keys; }

Config read_config(const std::string& path) {
    const auto file = read_file(path);
    return Reading(parse(path, file.text), file.mode).read();
}

}  // namespace openrd
