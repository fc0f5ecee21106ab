#include "openrd/delivery_config.hpp"

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "openrd/config_document.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>

namespace openrd {
namespace {

using base::ChannelSettings;

constexpr std::size_t longest_secret_bytes = 4096;
constexpr std::int64_t longest_probe_ms = 5 * base::second_ms;  // a message waits for it with its lease running (delivery/lane.cpp)
constexpr std::int64_t most_workers = 256;                      // each is a thread and may be a connection

struct TextKey {
    std::string_view name, kinds;
    std::string ChannelSettings::*place;
};
// The keys that are a text, and who uses them. Secrets and lists stand in their own functions.
constexpr TextKey text_keys[] = {
    {"kind", "kannel alibaba twilio webhook smtp", &ChannelSettings::kind},
    {"name", "kannel alibaba twilio webhook smtp", &ChannelSettings::name},
    {"url", "kannel alibaba twilio webhook smtp", &ChannelSettings::url},
    {"user", "kannel alibaba twilio smtp", &ChannelSettings::user},
    {"from", "kannel alibaba twilio smtp", &ChannelSettings::from},
    {"smsc", "kannel", &ChannelSettings::smsc},
    {"service", "twilio", &ChannelSettings::service},
    {"sign_name", "alibaba", &ChannelSettings::sign_name},
    {"template_code", "alibaba", &ChannelSettings::template_code},
    {"china_url", "alibaba", &ChannelSettings::china_url},
    {"receipts_url", "kannel twilio webhook", &ChannelSettings::receipts_url},
    {"ca_file", "kannel alibaba twilio webhook smtp", &ChannelSettings::ca_file},
    {"proxy", "kannel alibaba twilio", &ChannelSettings::proxy},
};

bool has_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const auto first = words.substr(0, words.find(' '));
        if (first == word) return true;
        words.remove_prefix(std::min(words.size(), first.size() + 1));
    }
    return false;
}

class Reading {
  public:
    explicit Reading(const std::string& file) : file_(file) {}

    base::DeliverySettings read(const toml::table& delivery) const {
        base::DeliverySettings settings;
        for (const auto& [key, node] : delivery) {
            const auto name = key.str();
            if (name == "origin") settings.texts.origin = text(node, "delivery.origin");
            else if (name == "chinese") settings.texts.chinese = texts(node, "delivery.chinese");
            else if (name == "texts") settings.texts.templates = templates(node);
            else if (name == "channel") each(node, "delivery.channel", [&](const toml::table& table) { settings.channels.push_back(channel(table)); });
            else if (name == "route") each(node, "delivery.route", [&](const toml::table& table) { settings.routes.push_back(route(table)); });
            else if (name == "risk") settings.risk = risk(node);
            else if (name == "workers") settings.workers = workers(node);
            else if (name == "keep") settings.keep_ms = keep(node);
            else throw refusal(node, fmt::format("delivery.{} is not known", name));
        }
        return settings;
    }

  private:
    Failure refusal(const toml::node& node, std::string_view what) const { return refusal_at(file_, node, what); }

    std::string text(const toml::node& node, std::string_view name) const {
        const auto* value = node.as_string();
        if (!value) throw refusal(node, fmt::format("{} must be a text", name));
        return value->get();
    }
    std::vector<std::string> texts(const toml::node& node, std::string_view name) const {
        std::vector<std::string> list;
        const auto* values = node.as_array();
        if (!values) throw refusal(node, fmt::format("{} must be a list of texts", name));
        for (const auto& value : *values) list.push_back(text(value, name));
        return list;
    }
    template <class Take> void each(const toml::node& node, std::string_view name, Take take) const {
        const auto* list = node.as_array();
        if (!list || !list->is_homogeneous(toml::node_type::table)) throw refusal(node, fmt::format("{0} must be written [[{0}]]", name));
        for (const auto& entry : *list) take(*entry.as_table());
    }

    std::map<std::string, std::string> templates(const toml::node& node) const {
        std::map<std::string, std::string> found;
        const auto* table = node.as_table();
        if (!table) throw refusal(node, "delivery.texts must be a table");
        for (const auto& [name, languages] : *table) {
            if (!languages.is_table()) throw refusal(languages, fmt::format("delivery.texts.{} must be a table of languages", name.str()));
            for (const auto& [language, words] : *languages.as_table())
                found.emplace(fmt::format("{}.{}", name.str(), language.str()), text(words, fmt::format("delivery.texts.{}.{}", name.str(), language.str())));
        }
        return found;
    }

    std::int64_t duration(const toml::node& node, std::string_view name) const {
        const auto ms = base::parse_duration_ms(text(node, name));
        if (!ms) throw refusal(node, fmt::format("{} is a time like 10s", name));
        return *ms;
    }
    std::int64_t duration_from(std::int64_t least_ms, std::int64_t most_ms, const toml::node& node, std::string_view name) const {
        const auto ms = duration(node, name);
        if (ms < least_ms || ms > most_ms) throw refusal(node, fmt::format("{} is out of its range: from {} to {} s", name, static_cast<double>(least_ms) / 1000, most_ms / 1000));
        return ms;
    }
    std::uint32_t workers(const toml::node& node) const {
        const auto number = node.value_exact<std::int64_t>();
        if (!number || *number < 1 || *number > most_workers) throw refusal(node, fmt::format("delivery.workers must be a whole number from 1 to {}", most_workers));
        return static_cast<std::uint32_t>(*number);
    }
    // Receipts come for days, and whoever looks into a complaint wants to see what was sent.
    std::int64_t keep(const toml::node& node) const {
        if (node.value_exact<std::string>() == "none") return 0;
        const auto ms = duration(node, "delivery.keep");
        if (ms < base::day_ms) throw refusal(node, "delivery.keep must be at least 24h, or none to keep all");
        return ms;
    }
    bool yes_no(const toml::node& node, std::string_view name) const {
        const auto* value = node.as_boolean();
        if (!value) throw refusal(node, fmt::format("{} must be true or false", name));
        return value->get();
    }

    base::RiskSettings risk(const toml::node& node) const {
        base::RiskSettings found;
        const auto* table = node.as_table();
        if (!table) throw refusal(node, "delivery.risk must be a table");
        for (const auto& [key, value] : *table) {
            const auto name = fmt::format("delivery.risk.{}", key.str());
            if (key.str() == "url") found.url = text(value, name);
            else if (key.str() == "secret" || key.str() == "secret_file") found.secret = one_secret(found.secret, key.str(), value, "delivery.risk");
            else if (key.str() == "ca_file") found.ca_file = text(value, name);
            else if (key.str() == "timeout") found.timeout_ms = duration_from(100, longest_probe_ms, value, name);
            else if (key.str() == "youngest") found.youngest_ms = duration_from(base::hour_ms, 366 * base::day_ms, value, name);
            else if (key.str() == "fail_open") found.fail_open = yes_no(value, name);
            else throw refusal(value, fmt::format("{} is not known", name));
        }
        if (found.url.empty()) throw refusal(node, "delivery.risk: url is missing");
        return found;
    }

    base::RouteSettings route(const toml::table& table) const {
        base::RouteSettings found;
        for (const auto& [key, node] : table) {
            if (key.str() == "countries") found.countries = texts(node, "delivery.route: countries");
            else if (key.str() == "channels") found.channels = texts(node, "delivery.route: channels");
            else throw refusal(node, fmt::format("delivery.route: {} is not known", key.str()));
        }
        return found;
    }

    ChannelSettings channel(const toml::table& table) const {
        ChannelSettings found;
        const auto* kind = table.get("kind");
        if (!kind) throw refusal(table, "delivery.channel: kind is missing");
        found.kind = text(*kind, "delivery.channel: kind");
        if (!has_word(text_keys[0].kinds, found.kind)) throw refusal(*kind, "delivery.channel: kind is kannel, alibaba, twilio, webhook or smtp");
        found.name = found.kind;
        for (const auto& [key, node] : table) read_key(found, key.str(), node);
        return found;
    }

    void read_key(ChannelSettings& found, std::string_view key, const toml::node& node) const {
        const auto name = fmt::format("delivery.channel: {}", key);
        if (const auto* known = std::ranges::find(text_keys, key, &TextKey::name); known != std::end(text_keys)) {
            if (!has_word(known->kinds, found.kind)) throw refusal(node, fmt::format("{} is not used by {}", name, found.kind));
            found.*known->place = text(node, name);
        } else if (key == "countries") {
            found.countries = texts(node, name);
        } else if (key == "secret" || key == "secret_file") {
            found.secret = one_secret(found.secret, key, node, "delivery.channel");
        } else if (key == "more_secret_files" && found.kind == "webhook") {
            for (const auto& path : texts(node, name)) found.more_secrets.push_back(secret_in(node, path));
        } else if (key == "timeout") {
            found.timeout_ms = duration(node, name);
        } else {
            throw refusal(node, fmt::format("{} is not known", name));
        }
    }

    base::Secret one_secret(const base::Secret& before, std::string_view key, const toml::node& node, std::string_view table) const {
        const auto name = fmt::format("{}{}{}", table, table.ends_with("risk") ? "." : ": ", key);
        if (!before.empty()) throw refusal(node, fmt::format("{}: secret and secret_file are one too many", table));
        auto secret = key == "secret" ? base::Secret(text(node, name)) : secret_in(node, text(node, name));
        if (secret.empty()) throw refusal(node, fmt::format("{} is empty", name));
        return secret;
    }

    // The first line of a file.
    base::Secret secret_in(const toml::node& node, const std::string& named) const {
        const auto path = expanded_path(file_, node, "secret_file", named);
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0)
            throw refusal(node, fmt::format("{} holds a secret, and others may read it (chmod o-rwx)", path));
        std::ifstream file(path, std::ios::binary);
        std::string line;
        line.reserve(longest_secret_bytes + 1);  // so that no piece of it is left behind in memory that was given back
        if (!std::getline(file, line) || line.size() > longest_secret_bytes) {
            base::wipe(line);
            throw refusal(node, fmt::format("{} cannot be read, is empty or has no secret in its first line", path));
        }
        if (line.ends_with('\r')) line.pop_back();
        return base::Secret(std::move(line));
    }

    const std::string& file_;
};

}  // namespace

base::DeliverySettings read_delivery(const toml::table& delivery, const std::string& file) { return Reading(file).read(delivery); }

}  // namespace openrd
