#include "db/sqlite/readers.hpp"

#include "base/clock.hpp"

#include <algorithm>

namespace openrd::db::sqlite {

// The mutex guards the connection and its snapshot: its own thread holds it while it reads, others only try.
struct Readers::Reader {
    std::mutex mutex;
    std::unique_ptr<Connection> connection;  // none once the engine or the thread is gone
    bool snapshot = false;
    std::uint64_t epoch = 0;
    std::int64_t taken_ns = 0;
    OpenTransaction* current = nullptr;  // its own thread only
    std::atomic<bool> closed{false};

    void end_snapshot() {
        if (!snapshot) return;
        connection->end_read();
        snapshot = false;
    }
    void close() {
        const std::lock_guard lock(mutex);
        connection.reset();
        snapshot = false;
        closed = true;
    }
};

struct Readers::Registry {
    std::mutex mutex;
    bool closed = false;
    std::vector<std::shared_ptr<Reader>> readers;
};

namespace {

std::atomic<std::uint64_t> next_id{1};
constexpr Sql begin{"BEGIN"};

// What this thread has open, at most one reader for each engine.
struct Mine {
    struct Entry {
        std::uint64_t engine;
        std::shared_ptr<Readers::Registry> registry;
        std::shared_ptr<Readers::Reader> reader;
    };
    std::vector<Entry> entries;

    Readers::Reader* find(std::uint64_t engine) const {
        for (const Entry& entry : entries)
            if (entry.engine == engine) return entry.reader.get();
        return nullptr;
    }
    void forget_closed() {
        std::erase_if(entries, [](const Entry& entry) { return entry.reader->closed.load(); });
    }
    ~Mine() {
        for (const Entry& entry : entries) {
            {
                const std::lock_guard lock(entry.registry->mutex);
                std::erase(entry.registry->readers, entry.reader);
            }
            entry.reader->close();
        }
    }
};
thread_local Mine mine;

class Current {
  public:
    Current(OpenTransaction*& slot, OpenTransaction& transaction) : slot_(slot) { slot = &transaction; }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    ~Current() { slot_ = nullptr; }

  private:
    OpenTransaction*& slot_;
};

}  // namespace

Readers::Readers(std::string path, bool durable, Changes& changes, std::function<void()> look_around)
    : path_(std::move(path)), durable_(durable), changes_(changes), look_around_(std::move(look_around)), id_(next_id.fetch_add(1)), registry_(std::make_shared<Registry>()) {}

Readers::~Readers() { close(); }

Readers::Reader& Readers::of_this_thread() {
    if (Reader* reader = mine.find(id_)) return *reader;
    mine.forget_closed();
    auto reader = std::make_shared<Reader>();
    reader->connection = std::make_unique<Connection>(path_, Use::reading, durable_);
    const std::lock_guard lock(registry_->mutex);
    if (registry_->closed) throw Error(Trouble::unavailable, "the database is closed");
    mine.entries.push_back({id_, registry_, reader});
    registry_->readers.push_back(reader);
    return *reader;
}

void Readers::refresh(Reader& reader) {
    const std::int64_t now = base::monotonic_ns();
    if (reader.snapshot && !reader.connection->broken() && reader.epoch == changes_.epoch() && now - reader.taken_ns < snapshot_ns) return;
    std::int64_t next = next_look_ns_.load(std::memory_order_relaxed);
    if (now >= next && next_look_ns_.compare_exchange_strong(next, now + snapshot_ns, std::memory_order_relaxed)) look_around_();
    reader.end_snapshot();
    reader.connection->mend();
    reader.connection->run(begin);
    reader.snapshot = true;
    // BEGIN takes no snapshot yet, the first select does: it may be newer than this epoch, never older.
    reader.epoch = changes_.epoch();
    reader.taken_ns = now;
}

void Readers::read(const Engine::Work& work) {
    Reader& reader = of_this_thread();
    if (reader.current) return work(*reader.current);
    const std::lock_guard lock(reader.mutex);
    if (!reader.connection) throw Error(Trouble::unavailable, "the database is closed");
    refresh(reader);
    OpenTransaction transaction(*reader.connection, OpenTransaction::Access::reads);
    const Current current(reader.current, transaction);
    try {
        work(transaction);
    } catch (const Error&) {
        reader.end_snapshot();
        throw;
    }
}

void Readers::idle() {
    Reader* reader = mine.find(id_);
    if (!reader || reader->current) return;
    const std::lock_guard lock(reader->mutex);
    reader->end_snapshot();
}

void Readers::let_go(std::int64_t older_than_ns) {
    const std::int64_t now = base::monotonic_ns();
    const std::lock_guard lock(registry_->mutex);
    for (const auto& reader : registry_->readers) {
        const std::unique_lock free(reader->mutex, std::try_to_lock);
        if (free && (older_than_ns == 0 || now - reader->taken_ns >= older_than_ns)) reader->end_snapshot();
    }
}

void Readers::close() {
    std::vector<std::shared_ptr<Reader>> readers;
    {
        const std::lock_guard lock(registry_->mutex);
        registry_->closed = true;
        readers.swap(registry_->readers);
    }
    for (const auto& reader : readers) reader->close();
}

}  // namespace openrd::db::sqlite
