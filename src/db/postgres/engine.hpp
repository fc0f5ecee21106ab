#pragma once
// The engine of a PostgreSQL database, shared by several servers: a bounded pool of workers, each with a connection while it works.
#include "base/embedded.hpp"
#include "db/changes.hpp"
#include "db/engine.hpp"
#include "db/open.hpp"
#include "db/postgres/pool.hpp"
#include "db/postgres/transaction.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace openrd::db::postgres {

class Engine final : public db::Engine {
  public:
    Engine(Target target, std::size_t workers, std::size_t queue_limit);
    ~Engine() override { close(); }

    void read(const Work& work) override;
    bool reads_at_once() const override { return false; }
    void read_apart(Work work, Done done, Terms::Time::time_point until) override;
    using db::Engine::write;
    void write(Work work, Done done, Terms terms) override;
    bool shared() const override { return true; }
    std::uint64_t generation(Topic topic) const override;
    void on_commit(Topic topic, std::function<void()> wake) override { changes_.on_commit(topic, std::move(wake)); }
    void idle() override {}
    std::size_t backlog() const override;
    void close() override;

  private:
    struct Item {
        Work work;
        Done done;
        Terms terms;
        bool writes = false;
        Outcome outcome = Outcome::unavailable;
        std::exception_ptr error = nullptr;
        std::uint8_t topics = 0;
    };
    void enqueue(Item item);
    void run();
    bool take(Item& item);
    void run_read(const Work& work, Connection::Time until);
    void run_write(Item& item);
    void try_write(Item& item, Connection::Time until);
    void settle_unknown(Item& item, const std::string& why);
    Connection::Time latest(const Terms& terms) const;

    Changes changes_;
    Pool pool_;
    const std::size_t queue_limit_, writers_;

    mutable std::mutex queue_mutex_;
    std::condition_variable came_;
    std::deque<Item> reads_, writes_;
    std::size_t writing_ = 0;  // workers with a write: some are left for reads, however long a lock is waited for
    bool finishing_ = false;

    OneStatementReads one_statement_reads_;
    std::vector<std::thread> workers_;
};

// db::open() and its kin, with the migrations given.
std::unique_ptr<Engine> open(const OpenOptions& options, std::span<const embedded::File> migrations);
MigrationState migration_state(const std::string& url, std::span<const embedded::File> migrations);
int migrate(const std::string& url, std::span<const embedded::File> migrations);

}  // namespace openrd::db::postgres
