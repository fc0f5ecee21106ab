#include "openrd/keys_commands.hpp"

#include "audit/key_change.hpp"
#include "base/clock.hpp"
#include "base/identifiers.hpp"
#include "openrd/failure.hpp"
#include "openrd/key_jobs.hpp"
#include "openrd/operator_record.hpp"
#include "openrd/session.hpp"
#include "store/audit_events.hpp"
#include "store/facts.hpp"
#include "store/key_uses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace openrd {
namespace {

constexpr std::string_view key_resource = "ACS::OpenRD::Key";

std::uint32_t& use_of(keys::Uses& uses, std::string_view kind) {
    if (kind == "code") return uses.code;
    if (kind == "index") return uses.index;
    if (kind == "encryption") return uses.encryption;
    if (kind == "checkpoint") return uses.checkpoint;
    throw Failure(fmt::format("{}: there is no such kind of key: code, index, encryption or checkpoint", kind));
}

void settle(const KeysOptions& o) { std::this_thread::sleep_for(std::chrono::milliseconds(o.settle_ms)); }

// The database and its ring for one command, which may change both.
class KeysAtWork {
  public:
    explicit KeysAtWork(const DataPlace& place) : data_(open_existing_data(place)) {}
    KeysAtWork(const KeysAtWork&) = delete;
    KeysAtWork& operator=(const KeysAtWork&) = delete;
    ~KeysAtWork() { data_.engine->close(); }
    Data& operator*() { return data_; }
    Data* operator->() { return &data_; }

  private:
    Data data_;
};

std::uint32_t add_root(Data& data) {
    auto roots = keys::read_key_file(data.key_file);
    if (roots.size() >= keys::most_roots) throw Failure(fmt::format("the key file holds {} keys already: retire old ones", roots.size()), refused_status);
    const auto id = roots.back().id + 1;
    roots.push_back({.id = id, .bytes = base::Secret(base::random_bytes(keys::root_bytes))});
    keys::replace_key_file(data.key_file, roots);
    data.ring.adopt(roots);
    return id;
}

void record_key(db::Transaction& tx, std::string_view name, std::string_view kind, std::uint32_t id) {
    record(tx,
           {.account_id = std::string(server_log),
            .name = name,
            .resource_type = key_resource,
            .resource = std::to_string(id),
            .parameters = {{"Kind", std::string(kind)}, {"KeyId", std::to_string(id)}},
            .subject_ref = {},
            .command = "openrd keys"},
           base::real_now_ms());
}

// From here on every server makes new things with this key.
void begin_to_use(Data& data, std::string_view kind, std::uint32_t id) {
    keys::Uses uses;
    data.engine->write_and_wait([&](db::Transaction& tx) {
        store::hold_checkpoint_key(tx);  // whatever is rotated: of two commands at once one waits
        uses = store::load_key_uses(tx);
        auto& use = use_of(uses, kind);
        if (use == id) return;
        if (kind == "checkpoint") {
            const auto last = store::last_checkpoint(tx);
            const auto size = last ? static_cast<std::uint64_t>(last->tree_size) : 0;
            store::append_key_change(tx, audit::sign_key_change(data.ring, data.audit_origin, size, use, id));
        }
        use = id;
        store::put_key_uses(tx, uses);
        record_key(tx, "RotateKey", kind, id);
    });
    data.ring.use(uses);
}

// How much was moved under the current key.
KeyJobReport run_job(Data& data, std::string_view kind) {
    if (kind == "encryption") return reseal_everything(*data.engine, data.ring);
    if (kind == "index") return move_indexes(*data.engine, data.ring);
    return {};
}

void write_uses(wire::JsonWriter& w, const Data& data) {
    const auto uses = data.ring.uses();
    w.begin_list("Keys", {});
    for (const auto id : data.ring.ids()) {
        w.begin_item({}), w.number("KeyId", id);
        w.begin_list("CurrentFor", {});
        if (uses.code == id) w.text_item({}, "code");
        if (uses.index == id) w.text_item({}, "index");
        if (uses.encryption == id) w.text_item({}, "encryption");
        if (uses.checkpoint == id) w.text_item({}, "checkpoint");
        w.end_list({}, {}), w.end_item({});
    }
    w.end_list({}, {});
    w.text("AuditKey", audit::verifier_key(data.ring, data.audit_origin).text());
}

}  // namespace

int list_keys(const KeysOptions& o) {
    KeysAtWork at_work(o.place);
    print(object([&](wire::JsonWriter& w) { write_uses(w, *at_work); }));
    return 0;
}

int add_key(const KeysOptions& o) {
    KeysAtWork at_work(o.place);
    const auto id = add_root(*at_work);
    at_work->engine->write_and_wait([&](db::Transaction& tx) { record_key(tx, "AddKey", "root", id); });
    print(object([&](wire::JsonWriter& w) { w.number("KeyId", id), w.text("KeyFile", at_work->key_file); }));
    return 0;
}

int rotate_key(const KeysOptions& o) {
    KeysAtWork at_work(o.place);
    auto uses = at_work->ring.uses();
    const auto current = use_of(uses, o.kind);
    // What an earlier rotation was killed over, or a server wrote while it did not know of it yet.
    const auto leftover = run_job(*at_work, o.kind);
    if (leftover.moved != 0) {
        print(object([&](wire::JsonWriter& w) {
            w.text("Kind", o.kind), w.number("KeyId", current), w.boolean("Finished", true), w.number("Moved", leftover.moved), w.number("Unreadable", leftover.unreadable);
        }));
        return 0;
    }
    const auto next = at_work->ring.ids().back();
    // Not made here: a server that has its key file as a credential of systemd reads it when it is started, and would refuse everything.
    if (next == current)
        throw Failure(fmt::format("key {} is the newest one of the key file: make another with openrd keys add, let every server read it, then rotate", current), refused_status);
    settle(o);  // so that the servers on this key file have the key before it is used
    begin_to_use(*at_work, o.kind, next);
    if (o.kind == "encryption" || o.kind == "index") settle(o);  // so that nothing is written with the older one behind the job
    const auto report = run_job(*at_work, o.kind);
    print(object([&](wire::JsonWriter& w) {
        w.text("Kind", o.kind), w.number("KeyId", next), w.number("PreviousKeyId", current), w.number("Moved", report.moved), w.number("Unreadable", report.unreadable);
        if (o.kind == "checkpoint") w.text("AuditKey", audit::verifier_key(at_work->ring, at_work->audit_origin).text());
    }));
    return 0;
}

int retire_key(const KeysOptions& o) {
    KeysAtWork at_work(o.place);
    auto& data = *at_work;
    const auto uses = data.ring.uses();
    const auto ids = data.ring.ids();
    if (std::ranges::find(ids, o.key_id) == ids.end()) throw Failure(fmt::format("the key file has no key {}", o.key_id), refused_status);
    if (ids.size() == 1 || uses.code == o.key_id || uses.index == o.key_id || uses.encryption == o.key_id || uses.checkpoint == o.key_id)
        throw Failure(fmt::format("key {} is in use: see openrd keys list", o.key_id), refused_status);
    if (const auto left = count_under(*data.engine, o.key_id, base::real_now_ms()); left.sum() != 0)
        throw Failure(fmt::format("key {} is still needed: {} sealed values, {} indexes, {} suppressed phones, {} codes under way", o.key_id, left.sealed, left.indexes,
                                  left.suppressions, left.codes),
                      refused_status);
    auto roots = keys::read_key_file(data.key_file);
    const bool oldest = o.key_id == ids.front();
    if (oldest && roots.front().id != 0) roots.insert(roots.begin(), {.id = 0, .bytes = keys::nonce_key_of(roots.front())});
    std::erase_if(roots, [&](const keys::Root& root) { return root.id == o.key_id; });
    data.engine->write_and_wait([&](db::Transaction& tx) {
        record_key(tx, "RetireKey", "root", o.key_id);
        // Before the file: a file that has both roots goes with either word.
        if (oldest) store::put_fact(tx, store::fact_key_fingerprint, keys::Ring(roots).fingerprint());
    });
    keys::replace_key_file(data.key_file, roots);
    print(object([&](wire::JsonWriter& w) { w.number("KeyId", o.key_id), w.boolean("Retired", true); }));
    return 0;
}

}  // namespace openrd
