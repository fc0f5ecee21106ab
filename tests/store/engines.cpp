#include "store/engines.hpp"

#include "db/open.hpp"
#include "support/postgres.hpp"

#include <filesystem>
#include <stdexcept>

namespace openrd::tests {
namespace {

std::string nothing_missing() { return {}; }

class SqliteDatabase final : public TestedDatabase {
  public:
    SqliteDatabase() {
        if (!::mkdtemp(path_.data())) throw std::runtime_error("no directory for the test");
    }
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;
    ~SqliteDatabase() override {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::unique_ptr<db::Engine> open() override { return db::open({.directory = path_ + "/data", .create = true, .durable = false}); }

  private:
    std::string path_ = (std::filesystem::temp_directory_path() / "openrd-store-XXXXXX").string();
};

class SharedDatabase final : public TestedDatabase {
  public:
    std::unique_ptr<db::Engine> open() override { return db::open({.url = database_.url(), .create = true, .connections = 8, .deadline_ms = 60'000}); }

  private:
    PostgresDatabase database_;
};

template <class Database> std::unique_ptr<TestedDatabase> make() { return std::make_unique<Database>(); }

constexpr TestedEngine sqlite{"sqlite", nothing_missing, make<SqliteDatabase>};
constexpr TestedEngine postgres{"postgres", PostgresCluster::missing, make<SharedDatabase>};

}  // namespace

const std::vector<const TestedEngine*>& tested_engines() {
    static const std::vector<const TestedEngine*> all = {&sqlite, &postgres};
    return all;
}

std::ostream& operator<<(std::ostream& out, const TestedEngine* engine) { return out << engine->name; }

void OnEveryEngine::SetUp() {
    if (const auto why = GetParam()->missing(); !why.empty()) GTEST_SKIP() << why;
    database_ = GetParam()->make();
    engine_ = database_->open();
}

void OnEveryEngine::TearDown() {
    if (engine_) engine_->close();
    engine_.reset();
    database_.reset();
}

void OnEveryEngine::reopen() {
    engine_->close();
    engine_.reset();
    engine_ = database_->open();
}

db::Trouble OnEveryEngine::trouble_of(const db::Engine::Work& work) {
    try {
        engine_->write_and_wait(work);
    } catch (const db::Error& error) { return error.trouble(); }
    ADD_FAILURE() << "nothing was thrown";
    return db::Trouble::newer;
}

}  // namespace openrd::tests
