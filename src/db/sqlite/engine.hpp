#pragma once
// The engine of one process and one file: readers on the threads that ask, one writer, one housekeeper.
#include "base/embedded.hpp"
#include "db/changes.hpp"
#include "db/engine.hpp"
#include "db/open.hpp"
#include "db/sqlite/housekeeper.hpp"
#include "db/sqlite/readers.hpp"
#include "db/sqlite/writer.hpp"

#include <memory>
#include <span>
#include <string>

namespace openrd::db::sqlite {

class Engine final : public db::Engine {
  public:
    Engine(const std::string& path, std::unique_ptr<Connection> writing, bool durable, std::size_t write_queue, const LogLimits& limits);
    ~Engine() override { close(); }

    void read(const Work& work) override { readers_.read(work); }
    using db::Engine::write;
    void write(Work work, Done done, Terms terms) override { writer_.write(std::move(work), std::move(done), terms.until); }
    std::uint64_t generation(Topic topic) const override { return changes_.generation(topic); }
    void on_commit(Topic topic, std::function<void()> wake) override { changes_.on_commit(topic, std::move(wake)); }
    void idle() override { readers_.idle(); }
    std::size_t backlog() const override { return writer_.backlog(); }
    void close() override;

    // Transactions that were committed: fewer than writes when they are many at once.
    std::uint64_t commits() const { return writer_.commits(); }

  private:
    Changes changes_;
    Readers readers_;
    Housekeeper housekeeper_;
    Writer writer_;
};

// db::open() and its kin with the migrations given.
std::unique_ptr<Engine> open(const OpenOptions& options, std::span<const embedded::File> migrations, const LogLimits& limits = {});
MigrationState migration_state(const std::string& directory, std::span<const embedded::File> migrations);
int migrate(const std::string& directory, std::span<const embedded::File> migrations);
void back_up(const std::string& directory, const std::string& file, std::span<const embedded::File> migrations);
void restore(const std::string& file, const std::string& directory, std::span<const embedded::File> migrations, const db::Engine::Work& content);

}  // namespace openrd::db::sqlite
