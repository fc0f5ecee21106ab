#pragma once
// The thread that copies the WAL into the file while others write and read, so that nobody waits for it (hot-path.md 4).
#include "db/changes.hpp"
#include "db/sqlite/connection.hpp"
#include "db/sqlite/readers.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace openrd::db::sqlite {

// How long the WAL grows, in frames of one page (4 KiB).
struct LogLimits {
    // Fewer are left where they are: copying takes two syncs and lets the log begin anew, which costs the next commit one more.
    int copy_from = 1'000;
    // Above this the writer itself copies what is left: a thread that copies while others write never comes to an end.
    int finish_above = 32'000;
};

class Housekeeper {
  public:
    Housekeeper(const std::string& path, bool durable, const LogLimits& limits, Changes& changes, Readers& readers);
    Housekeeper(const Housekeeper&) = delete;
    Housekeeper& operator=(const Housekeeper&) = delete;
    ~Housekeeper();

    // The WAL holds so many frames now.
    void committed(int frames);
    // Calls those who wait for these topics, from this thread.
    void wake(std::uint8_t topics);
    // While it is held no checkpoint runs; waits for the one that does.
    std::unique_lock<std::mutex> no_checkpoint() { return std::unique_lock(checkpoint_mutex_); }
    // Ends the thread and closes its connection.
    void stop();

  private:
    void run();
    void pass_on_wakes(std::unique_lock<std::mutex>& lock);
    Connection::Copied copy();

    std::unique_ptr<Connection> connection_;
    const int copy_from_;
    Changes& changes_;
    Readers& readers_;
    std::mutex checkpoint_mutex_;
    std::mutex mutex_;
    std::condition_variable called_;
    std::atomic<bool> to_copy_{false};
    std::uint8_t to_wake_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace openrd::db::sqlite
