#include "openrd/key_watch.hpp"

#include "base/log.hpp"
#include "store/facts.hpp"
#include "store/key_uses.hpp"

#include <sys/stat.h>

#include <utility>

namespace openrd {

KeyWatch::KeyWatch(std::string key_file, db::Engine& engine, keys::Ring& ring) : key_file_(std::move(key_file)), engine_(engine), ring_(ring) {}

KeyWatch::Seen KeyWatch::see() const {
    struct stat facts {};
    if (::stat(key_file_.c_str(), &facts) != 0) return {};
    return {.inode = static_cast<std::int64_t>(facts.st_ino), .size = facts.st_size, .changed_s = facts.st_ctim.tv_sec, .changed_ns = facts.st_ctim.tv_nsec};
}

void KeyWatch::read_file() {
    const auto seen = see();
    if (seen == seen_) return;
    seen_ = seen;
    std::string fingerprint;
    engine_.read([&](db::Transaction& tx) { fingerprint = store::find_fact(tx, store::fact_key_fingerprint).value_or(""); });
    try {
        const auto roots = keys::read_key_file(key_file_);
        if (!keys::Ring(roots).has_fingerprint(fingerprint)) throw keys::FileError("key file " + key_file_ + ": is not the one of the database");
        if (ring_.adopt(roots)) base::log::info("the key file was read again", {{"keys", static_cast<std::int64_t>(roots.size())}});
    } catch (const keys::FileError& error) {
        seen_ = {};  // looked at again: it may be half copied
        if (std::exchange(trouble_, error.what()) != trouble_) base::log::error("the key file cannot be used, the keys that were read stay", {{"reason", trouble_}});
        return;
    }
    trouble_.clear();
}

void KeyWatch::read_uses() {
    keys::Uses uses;
    engine_.read([&](db::Transaction& tx) { uses = store::load_key_uses(tx); });
    if (!ring_.use(uses)) return;
    base::log::info(
        "other keys are in use",
        {{"code", std::int64_t{uses.code}}, {"index", std::int64_t{uses.index}}, {"encryption", std::int64_t{uses.encryption}}, {"checkpoint", std::int64_t{uses.checkpoint}}});
    if (const auto trouble = ring_.trouble()) base::log::error("a key is missing: requests are refused", {{"reason", *trouble}});
}

void KeyWatch::look() {
    read_file();
    read_uses();
}

}  // namespace openrd
