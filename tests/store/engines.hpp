#pragma once
// The conformance suite's ground: a fresh database of each engine for each case. Every function of store/ is named here, on every
// engine (tools/check_store_tests.py insists). Engines stand in engines.cpp, a line each.
#include "db/engine.hpp"

#include <gmock/gmock.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace openrd::tests {

// A database that is there for one case.
class TestedDatabase {
  public:
    virtual ~TestedDatabase() = default;
    virtual std::unique_ptr<db::Engine> open() = 0;
};

struct TestedEngine {
    const char* name;
    std::string (*missing)();  // why it cannot be tested here; empty: it can
    std::unique_ptr<TestedDatabase> (*make)();
};
std::ostream& operator<<(std::ostream&, const TestedEngine*);
const std::vector<const TestedEngine*>& tested_engines();

class OnEveryEngine : public ::testing::TestWithParam<const TestedEngine*> {
  protected:
    void SetUp() override;
    void TearDown() override;

    db::Engine& engine() { return *engine_; }
    // As a restarted server, or the next one, finds it.
    void reopen();

    // What a work gives, read or written.
    template <class Work> auto read(const Work& work) {
        return given(work, [&](const db::Engine::Work& w) { engine_->read(w); });
    }
    template <class Work> auto write(const Work& work) {
        return given(work, [&](const db::Engine::Work& w) { engine_->write_and_wait(w); });
    }
    // The trouble of the db::Error that the work throws; the work is not committed.
    db::Trouble trouble_of(const db::Engine::Work& work);

  private:
    template <class Work, class Run> static auto given(const Work& work, const Run& run) {
        using Given = std::invoke_result_t<Work, db::Transaction&>;
        if constexpr (std::is_void_v<Given>) {
            run([&](db::Transaction& tx) { work(tx); });
        } else {
            std::optional<Given> result;
            run([&](db::Transaction& tx) { result.emplace(work(tx)); });
            return std::move(result).value();
        }
    }

    std::unique_ptr<TestedDatabase> database_;
    std::unique_ptr<db::Engine> engine_;
};

// A suite of cases that run on every engine.
#define ON_EVERY_ENGINE(Suite)             \
    class Suite : public OnEveryEngine {}; \
    INSTANTIATE_TEST_SUITE_P(On, Suite, ::testing::ValuesIn(tested_engines()), [](const auto& tested) { return std::string(tested.param->name); })

}  // namespace openrd::tests
