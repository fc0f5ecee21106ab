#include "openrd/copy.hpp"

#include "audit/lease.hpp"
#include "audit/seal.hpp"
#include "audit/tree.hpp"
#include "db/open.hpp"
#include "openrd/data.hpp"
#include "openrd/failure.hpp"
#include "store/audit_events.hpp"
#include "store/copying.hpp"
#include "store/everything.hpp"
#include "store/facts.hpp"
#include "store/key_uses.hpp"
#include "store/leases.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

namespace openrd {
namespace {

constexpr std::int64_t rows_at_a_time = 500;
constexpr std::int64_t long_enough_ms = 24 * base::hour_ms;  // for one transaction

struct End {
    DataPlace place;
    std::optional<ServerLock> lock;

    bool is_directory() const { return place.url.empty(); }
    std::string name() const { return shown(place); }
};

bool there(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

void lock(End& end) {
    if (end.is_directory() && there(end.place.directory)) end.lock.emplace(end.place.directory);
}

std::unique_ptr<db::Engine> open(const End& end, bool create = false, db::Engine::Work first_content = {}) {
    return db::open({.directory = end.place.directory,
                     .url = end.place.url,
                     .create = create,
                     .connections = 2,
                     .deadline_ms = long_enough_ms,
                     .first_content = std::move(first_content),
                     .check_every_page = true});
}

// Closes it, whatever comes.
class Open {
  public:
    explicit Open(std::unique_ptr<db::Engine> engine) : engine_(std::move(engine)) {}
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() { engine_->close(); }
    db::Engine& operator*() const { return *engine_; }
    db::Engine* operator->() const { return engine_.get(); }

  private:
    std::unique_ptr<db::Engine> engine_;
};

void put_number(std::string& to, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>(number >> shift & 0xff);
}

// Of every row in order, with the lengths of its fields.
class Digest {
  public:
    void add(const std::vector<store::Row>& rows) {
        std::string text(audit::bytes_of(hash_));
        for (const auto& row : rows)
            for (const auto& field : row) {
                text += static_cast<char>(field.index());
                if (const auto* number = std::get_if<std::int64_t>(&field)) put_number(text, static_cast<std::uint64_t>(*number));
                if (const auto* bytes = std::get_if<std::string>(&field)) put_number(text, bytes->size()), text += *bytes;
            }
        hash_ = audit::sha256(text);
        count_ += rows.size();
    }
    std::uint64_t count() const { return count_; }
    friend bool operator==(const Digest&, const Digest&) = default;

  private:
    audit::Hash hash_{};
    std::uint64_t count_ = 0;
};

void each_batch(db::Transaction& tx, const store::Shape& shape, const std::function<void(const std::vector<store::Row>&)>& take) {
    store::Row last;
    for (;;) {
        auto rows = store::rows_after(tx, shape, last, rows_at_a_time);
        if (rows.empty()) return;
        take(rows);
        last = std::move(rows.back());
    }
}

Digest digest_of(db::Transaction& tx, std::string_view table) {
    Digest digest;
    each_batch(tx, store::shape_of(tx, table), [&](const auto& rows) { digest.add(rows); });
    return digest;
}

using Digests = std::vector<std::pair<std::string, Digest>>;

Digests digests_of(db::Transaction& tx) {
    Digests result;
    for (const auto& table : store::tables())
        if (table.moves == store::Moves::yes) result.emplace_back(table.name(), digest_of(tx, table.name()));
    return result;
}

bool is_empty(db::Transaction& tx) {
    for (const auto& table : store::tables())
        if (table.moves != store::Moves::no && !store::rows_after(tx, store::shape_of(tx, table.name()), {}, 1).empty()) return false;
    return true;
}

// The first table in which the two are not the same.
std::optional<std::string> difference(const Digests& a, const Digests& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) return fmt::format("{}: {} rows and {}", a[i].first, a[i].second.count(), b[i].second.count());
    return {};
}

class Copy {
  public:
    Copy(End& from, End& to, const keys::Ring& ring, std::string origin) : from_(from), to_(to), ring_(ring), origin_(std::move(origin)), source_(open(from)) {}
    void run();

  private:
    void refuse_served();
    void into(db::Transaction& target);
    void copy_rows(db::Transaction& source, db::Transaction& target) const;
    void compare(db::Transaction& target);
    void verify_log(db::Transaction& target);
    std::optional<store::Lease> seen_lease() const;
    std::int64_t entries() const;
    bool fill_or_compare(db::Engine& target);

    End &from_, &to_;
    const keys::Ring& ring_;
    const std::string origin_;
    const Open source_;
    Digests copied_;
    std::int64_t sealed_ = 0;
    bool was_there_ = false;
};

std::optional<store::Lease> Copy::seen_lease() const {
    std::optional<store::Lease> lease;
    source_->read([&](db::Transaction& tx) { lease = store::find_lease(tx, store::sealer_lease); });
    source_->idle();
    return lease;
}

std::int64_t Copy::entries() const {
    std::int64_t count = 0;
    source_->read([&](db::Transaction& tx) { count = store::count_audit_events(tx); });
    source_->idle();
    return count;
}

// A server of a shared database shows that it lives once a second.
void Copy::refuse_served() {
    if (from_.is_directory()) return;
    const auto before = seen_lease();
    if (!before || before->holder.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(audit::Lease::silence_ms));
    if (seen_lease() != before) throw Failure(fmt::format("a server is running on {}: stop all of them first", from_.name()));
}

void Copy::copy_rows(db::Transaction& source, db::Transaction& target) const {
    for (const auto& table : store::tables()) {
        if (table.moves == store::Moves::no) continue;
        const auto shape = store::shape_of(source, table.name()), target_shape = store::shape_of(target, table.name());
        if (!shape.same_columns(target_shape)) throw Failure(fmt::format("the table {} is not the same in {} and {}", table.name(), from_.name(), to_.name()));
        each_batch(source, shape, [&](const auto& rows) { store::insert_rows(target, target_shape, rows); });
    }
    for (const auto& nonce : store::nonces_of_entries(source, base::real_now_ms())) store::take_nonce(target, nonce);
}

void Copy::into(db::Transaction& target) {
    bool begun = false;
    source_->read([&](db::Transaction& source) {
        if (std::exchange(begun, true)) throw Failure(fmt::format("the connection to {} was lost in the middle", from_.name()));
        copy_rows(source, target);
    });
    source_->idle();
    compare(target);
}

// The source once more, from a new snapshot: what was written meanwhile shows.
void Copy::compare(db::Transaction& target) {
    Digests wanted;
    source_->read([&](db::Transaction& source) { wanted = digests_of(source); });
    source_->idle();
    copied_ = digests_of(target);
    if (const auto where = difference(wanted, copied_)) {
        if (was_there_) throw Failure(fmt::format("{} holds something else than {} ({}): a copy goes into an empty database", to_.name(), from_.name(), *where));
        throw Failure(fmt::format("{} was changed while it was copied ({}): nothing was copied; stop its servers and begin anew", from_.name(), *where));
    }
    verify_log(target);
}

// The log as it is read from the target: every entry is numbered, and the root of all that was signed is the one that was signed.
void Copy::verify_log(db::Transaction& target) {
    const auto count = store::count_audit_events(target);
    if (store::has_events_to_number(target) || store::last_arrival(target) != count)
        throw Failure(fmt::format("the audit log in {} is not numbered from 1 to {}", to_.name(), count));
    const auto last = store::last_checkpoint(target);
    if (!last) {
        if (count != 0) throw Failure(fmt::format("the audit log in {} is not sealed", to_.name()));
        return;
    }
    const auto chain = audit::own_chain(ring_, origin_, store::list_key_changes(target));
    if (!chain) throw Failure(fmt::format("the audit log in {}: {}", to_.name(), chain.error()));
    const auto checkpoint = audit::own_checkpoint(last->note, last->root, last->tree_size, *chain);
    if (!checkpoint) throw Failure(fmt::format("the checkpoint of {} entries in {} is not one of {}: {}", last->tree_size, to_.name(), origin_, checkpoint.error()));
    audit::Tree tree;
    while (tree.size() < checkpoint->size) {
        const auto events = store::audit_events_after(target, static_cast<std::int64_t>(tree.size()), rows_at_a_time);
        for (const auto& event : events)
            if (tree.size() < checkpoint->size) tree.add(audit::leaf_hash(event.body));
        if (events.empty()) break;
    }
    if (tree.size() != checkpoint->size || tree.root() != checkpoint->root)
        throw Failure(fmt::format("the audit log in {} is not the one that was signed: the root of its {} entries is another one", to_.name(), tree.size()));
    sealed_ = last->tree_size;
}

// True when it was filled.
bool Copy::fill_or_compare(db::Engine& target) {
    bool empty = false;
    target.read([&](db::Transaction& tx) { empty = is_empty(tx); });
    target.idle();
    was_there_ = !empty;
    if (empty)
        target.write_and_wait([&](db::Transaction& tx) {
            if (!is_empty(tx)) throw Failure(fmt::format("somebody else is filling {}", to_.name()));
            into(tx);
        });
    else target.read([&](db::Transaction& tx) { compare(tx); });
    return empty;
}

void Copy::run() {
    refuse_served();
    const base::Clock clock;
    audit::seal_now(*source_, ring_, origin_, clock);  // numbers what is not numbered yet
    source_->idle();
    const auto lease = seen_lease();
    const auto before = entries();
    bool filled = false;
    {
        const Open target(open(to_, true, [&](db::Transaction& tx) {
            into(tx);
            filled = true;
        }));
        if (!filled) filled = fill_or_compare(*target);
    }
    if (entries() != before || seen_lease() != lease)
        throw Failure(fmt::format("{} was written to while it was copied: what is in {} is not all of it; empty that, stop the servers, and begin anew", from_.name(), to_.name()));
    std::uint64_t rows = 0;
    for (const auto& [table, digest] : copied_) {
        rows += digest.count();
        std::printf("%-20s %ju\n", table.c_str(), static_cast<std::uintmax_t>(digest.count()));
    }
    std::printf("%s %ju rows from %s to %s; the audit log has the root that was signed over its %jd entries\n",
                filled ? "copied" : "the same already:", static_cast<std::uintmax_t>(rows), from_.name().c_str(), to_.name().c_str(), static_cast<std::intmax_t>(sealed_));
}

DataPlace place_of(const std::string& text, const std::string& key_file) {
    DataPlace place{.directory = std::string(default_data_directory), .key_file = key_file};
    if (db::is_url(text)) place.url = text;
    else place.directory = text;
    return place;
}

}  // namespace

int copy(const CopyCommand& command) {
    End from{.place = place_of(command.from, command.key_file), .lock = {}}, to{.place = place_of(command.to, command.key_file), .lock = {}};
    if (!from.is_directory() && !to.is_directory() && command.key_file.empty()) throw Failure("--key-file is needed: neither of the two is a directory that could have one");
    if (!from.is_directory() && command.key_file.empty()) from.place.key_file = key_file(to.place);
    if (to.is_directory() && there(key_file(to.place)) && load_key(to.place).fingerprint() != load_key(from.place).fingerprint())
        throw Failure(fmt::format("the key files {} and {} are not the same", key_file(from.place), key_file(to.place)));
    lock(from);
    lock(to);
    if (!to.is_directory() && db::migration_state({}, to.place.url).applied == 0) db::refuse_tables_of_others(to.place.url);
    auto data = open_existing_data(from.place);
    data.engine->close();
    data.engine.reset();
    Copy(from, to, data.ring, data.audit_origin).run();
    if (to.is_directory() && !there(key_file(to.place))) std::printf("The key file is not in %s: copy it there.\n", to.name().c_str());
    return 0;
}

}  // namespace openrd
