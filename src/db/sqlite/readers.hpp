#pragma once
// The reading connections of an engine: one for each thread that reads. Each keeps its snapshot open from read to read, as
// taking one costs as much as a select; it is replaced when something was committed or after 50 ms, when another process may have
// written. Threads may end before the engine and the engine before the threads.
#include "db/changes.hpp"
#include "db/sqlite/connection.hpp"
#include "db/sqlite/transaction.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace openrd::db::sqlite {

inline constexpr std::int64_t snapshot_ns = 50'000'000;

class Readers {
  public:
    // `look_around` finds out whether another process has written; it is called at most once in 50 ms, without any lock of a
    // snapshot that others wait for.
    Readers(std::string path, bool durable, Changes& changes, std::function<void()> look_around);
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;
    ~Readers();

    void read(const Engine::Work& work);
    // Ends this thread's snapshot.
    void idle();
    // Ends the snapshots, taken that long ago, of all threads that are not reading at this moment: a thread that waits without
    // having said so keeps the WAL from beginning anew. Waits for nobody.
    void let_go(std::int64_t older_than_ns);
    void close();

    struct Reader;
    struct Registry;

  private:
    Reader& of_this_thread();
    void refresh(Reader& reader);

    const std::string path_;
    const bool durable_;
    Changes& changes_;
    const std::function<void()> look_around_;
    const std::uint64_t id_;  // of the engine, never used again
    const std::shared_ptr<Registry> registry_;
    std::atomic<std::int64_t> next_look_ns_{0};
};

}  // namespace openrd::db::sqlite
