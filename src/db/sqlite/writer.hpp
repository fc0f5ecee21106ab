#pragma once
// The one thread that writes. It takes the works that wait, runs them in one transaction, each in a savepoint of its own, looks
// whether more came meanwhile, commits once and gives all answers (group commit: hot-path.md 1).
#include "db/changes.hpp"
#include "db/sqlite/connection.hpp"
#include "db/sqlite/housekeeper.hpp"
#include "db/sqlite/readers.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace openrd::db::sqlite {

inline constexpr std::size_t batch_works = 256;  // in one transaction

class Writer {
  public:
    Writer(std::unique_ptr<Connection> connection, Changes& changes, Housekeeper& housekeeper, Readers& readers, std::size_t queue_limit, const LogLimits& limits);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer();

    // A work that is still waiting after `until` is not begun.
    void write(Engine::Work work, Engine::Done done, Terms::Time::time_point until = Terms::Time::time_point::max());
    std::size_t backlog() const;
    // Runs what waits and ends the thread.
    void finish();
    // Copies the WAL into the file and closes it.
    void close();

    // Announces what another process has written, unless the writer is at work and sees it by itself. On any thread.
    void look_around();

    std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

  private:
    struct Item {
        Engine::Work work;
        Engine::Done done;
        Terms::Time::time_point until = Terms::Time::time_point::max();
        Outcome outcome = Outcome::unavailable;
        std::exception_ptr error = nullptr;
    };
    using Batch = std::vector<Item>;

    void run();
    bool take(Batch& batch);
    void run_batch(Batch& batch);
    bool begin();
    bool run_works(Batch& batch);
    bool run_one(Item& item);
    bool whole();
    bool commit();
    void call_off(Batch& batch);
    void answer(Batch& batch);
    void tidy();
    bool others_wrote();

    Changes& changes_;
    Housekeeper& housekeeper_;
    Readers& readers_;
    const std::size_t queue_limit_;
    const int finish_above_;

    mutable std::mutex queue_mutex_;
    std::condition_variable came_;
    std::deque<Item> queue_;
    bool waiting_ = false;
    bool finishing_ = false;

    std::mutex connection_mutex_;  // held for a whole batch
    std::unique_ptr<Connection> connection_;
    std::int64_t data_version_ = 0;  // changes when others commit
    std::uint8_t topics_ = 0;        // of the batch
    std::uint8_t topics_of_others_ = 0;
    int finish_next_above_;
    std::optional<Error> trouble_;  // what broke the batch off

    std::atomic<std::uint64_t> commits_{0};
    std::thread thread_;
};

}  // namespace openrd::db::sqlite
